"""The picture of a plate as data, and the ways in which a file for it is refused."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from hcs_core import (
    PictureMark,
    PlaneState,
    ReadError,
    ReaderSpec,
    StorageError,
    Thumbnail,
    UnknownNameError,
    WellState,
    WriterSpec,
    draw_plate,
    hookimpl,
    plate_picture,
)
from hcs_core.testing.plates import make_plate

WHOLE, LACKING, EMPTY = WellState
STATES = {
    ("A01", 1, 1, 1, 1): PlaneState.MISSING,
    ("A01", 2, 1, 1, 1): PlaneState.UNREADABLE,
    ("A01", 2, 1, 2, 1): PlaneState.UNREADABLE,
    ("A02", 1, 2, 1, 1): PlaneState.NOT_RECORDED,
    ("B01", 1, 1, 1, 1): PlaneState.DUPLICATE,
    ("B01", 2, 2, 1, 1): PlaneState.NOT_ACQUIRED,
}


def thumbnail(pixels, *, shape=(64, 48), block=2):
    return Thumbnail(site=1, z_index=1, timepoint=1, shape=shape, block=block, pixels=np.asarray(pixels))


def plate_with(**more):
    return make_plate(wells=("A01", "A02", "B01", "B02"), sites=(1, 2), z_indexes=(1, 2), **more)


def test_the_state_of_a_well_and_a_channel():
    not_taken = [("B02", site, 2, z_index, 1) for site in (1, 2) for z_index in (1, 2)]
    picture = plate_picture(plate_with(states=STATES, without=not_taken), {})
    assert picture.states == {
        ("A01", 1): LACKING, ("A01", 2): WHOLE,
        ("A02", 1): WHOLE, ("A02", 2): LACKING,
        ("B01", 1): WHOLE, ("B01", 2): WHOLE,
        ("B02", 1): WHOLE, ("B02", 2): EMPTY,
    }  # fmt: skip
    assert picture.wells == {"A01": LACKING, "A02": LACKING, "B01": WHOLE, "B02": WHOLE}


def test_a_well_that_nobody_acquired_is_empty():
    states = {("A01", 1, channel, 1, 1): PlaneState.NOT_ACQUIRED for channel in (1, 2)}
    assert plate_picture(make_plate(states=states), {}).wells == {"A01": EMPTY, "A02": WHOLE}


def test_what_is_absent_is_told_by_site_and_state():
    def mark(well, channel, site, state, planes):
        return PictureMark(well=well, channel=channel, site=site, state=state, planes=planes)

    assert plate_picture(plate_with(states=STATES), {}).marks == (
        mark("A01", 1, 1, PlaneState.MISSING, 1),
        mark("A01", 1, 2, PlaneState.UNREADABLE, 2),
        mark("A02", 2, 1, PlaneState.NOT_RECORDED, 1),
    )


def test_the_limits_of_a_channel_are_those_of_all_its_wells():
    rng = np.random.default_rng(5)
    pixels = {("A01", 1): rng.integers(90, 400, (20, 30)), ("A02", 1): rng.integers(200, 9_000, (20, 25))}
    shown = {key: thumbnail(value) for key, value in pixels.items()} | {("A01", 2): thumbnail([[7, 7]])}
    dapi, gfp = plate_picture(make_plate(), shown).channels
    everything = sorted(np.concatenate([value.ravel() for value in pixels.values()]).tolist())
    last = len(everything) - 1
    assert dapi.limits == (everything[math.floor(0.01 * last)], everything[math.ceil(0.998 * last)])
    assert gfp.limits == (7, 7)


def test_what_is_no_number_sets_no_limits():
    shown = {("A01", 1): thumbnail([[np.nan, 1.0, 2.0, np.inf]]), ("A01", 2): thumbnail([[np.nan]])}
    dapi, gfp = plate_picture(make_plate(), shown).channels
    assert (dapi.limits, gfp.limits) == ((1.0, 2.0), None)


@pytest.mark.parametrize(
    ("others", "pixel_size_um", "expected"),
    [
        ({}, 0.5, 1.0),
        ({"block": 3}, 0.5, None),
        ({"shape": (32, 24)}, 0.5, None),
        ({}, None, None),
    ],
)
def test_the_scale_is_told_where_it_is_known_and_one(others, pixel_size_um, expected):
    shown = {("A01", 1): thumbnail([[1]]), ("A02", 1): thumbnail([[1]], **others)}
    dapi, gfp = plate_picture(make_plate(pixel_size_um=pixel_size_um), shown).channels
    assert (dapi.um_per_pixel, gfp.um_per_pixel) == (expected, None)


def test_a_channel_of_another_size_than_the_plate_s_has_no_scale():
    shown = {("A01", 1): thumbnail([[1]], shape=(32, 24))}
    assert plate_picture(make_plate(), shown).channels[0].um_per_pixel is None


def test_no_well_lies_beyond_the_plate():
    assert plate_picture(make_plate(wells=("A01", "H13"), plate_format=(8, 12)), {}).plate_format == (16, 24)
    assert plate_picture(make_plate(wells=("A01",), plate_format=(16, 24)), {}).plate_format == (16, 24)


@pytest.fixture
def plugins(target, manager):
    """A reader whose file `A01_s1_w1_z1_t1.tif` is broken, and a writer that writes which wells it was given."""

    class Reader:
        def read(self, location, _selector):
            if location.endswith("A01_s1_w1_z1_t1.tif"):
                raise ReadError(f"{location} is broken.")
            return np.ones((64, 48), np.uint16)

    def write(picture, path):
        path.write_text(" ".join(f"{well}={state.name}" for well, state in picture.wells.items()))

    reader = ReaderSpec(name="made_up", target=target("Reader", Reader))
    writer = WriterSpec(name="plate_picture", kind="picture", target=target("write", write), suffix=".png")
    hooks = {"hcs_readers": hookimpl(lambda: iter([reader])), "hcs_writers": hookimpl(lambda: iter([writer]))}
    return manager(SimpleNamespace(hcs_api=1, **hooks))


@pytest.fixture
def plate(tmp_path):
    root = tmp_path / "plate"
    root.mkdir()
    return make_plate(root=root)


def test_a_file_that_cannot_be_read_is_drawn_and_told(plugins, plate, tmp_path):
    told = draw_plate(plate, tmp_path / "plate.png", plugins)
    assert (tmp_path / "plate.png").read_text() == "A01=LACKING A02=WHOLE"
    assert told.state_counts() == plate.state_counts() | {"present": 3, "unreadable": 1}
    assert told.differences == (f"{plate.root}/A01_s1_w1_z1_t1.tif is broken.",)
    assert plate.state_counts()["unreadable"] == 0


def test_a_file_within_the_plate_is_refused(plugins, plate, tmp_path):
    outside, inside = tmp_path / "outside", plate.root / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "to_the_plate").symlink_to(plate.root)
    (outside / "into.png").symlink_to(plate.root / "picture.png")
    (inside / "out.png").symlink_to(outside / "picture.png")
    for path in (
        plate.root / "picture.png",
        inside / "picture.png",
        outside / "to_the_plate" / "picture.png",
        outside / ".." / "plate" / "picture.png",
        outside / "into.png",
        inside / "out.png",
    ):
        with pytest.raises(StorageError, match="lies within the plate"):
            draw_plate(plate, path, plugins)
    assert sorted(path.name for path in plate.root.rglob("*")) == ["inside", "out.png"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere/plate.png", "there is no folder"),
        ("plate.jpg", "does not end with .png"),
        ("folder.png", "is a folder"),
    ],
)
def test_a_file_that_cannot_be_one_is_refused_before_anything_is_read(plate, manager, target, tmp_path, name, words):
    (tmp_path / "folder.png").mkdir()
    writer = WriterSpec(name="plate_picture", kind="picture", target=target("write", print), suffix=".png")
    # Without a reader: had anything been read, the error would be about that.
    plugins = manager(SimpleNamespace(hcs_api=1, hcs_writers=hookimpl(lambda: iter([writer]))))
    with pytest.raises(StorageError, match=words):
        draw_plate(plate, tmp_path / name, plugins)


def test_a_file_that_cannot_be_written_is_told_in_one_sentence(plugins, plate, tmp_path, target):
    def fail(_picture, _path):
        raise OSError(28, "No space left on device")

    target("write", fail)
    with pytest.raises(StorageError, match=r"plate\.png cannot be written \(No space left on device\)"):
        draw_plate(plate, tmp_path / "plate.png", plugins)


def test_without_a_writer_it_says_what_to_install(plate, manager, tmp_path):
    with pytest.raises(UnknownNameError, match="pip install hcs-report"):
        draw_plate(plate, tmp_path / "plate.png", manager())
