"""The page, read back from its file: thumbnails, contrast, frames and marks are at their places."""

import sys
import time
from types import ModuleType, SimpleNamespace

import attrs
import numpy as np
import pytest
from PIL import Image

from hcs_core import PlaneState, PluginManager, ReadError, ReaderSpec, WellState, draw_plate, hookimpl, well_name
from hcs_core.testing.plates import make_plate
from hcs_report import plugin
from hcs_report.layout import layout_of
from hcs_report.plate_picture import write

BLUE, VERMILLION, PAPER = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (255, 255, 255)


@pytest.fixture
def drawn(tmp_path):
    """Return a function that draws a picture and gives the page as (y, x, rgb), with its layout."""

    def run(picture):
        path = tmp_path / "plate.png"
        write(picture, path)
        with Image.open(path) as page:
            assert (page.format, page.mode) == ("PNG", "RGB")
            return np.asarray(page), layout_of(picture)

    return run


def part(page, box):
    return page[box.top : box.bottom, box.left : box.right]


def colours(pixels):
    return {tuple(colour) for colour in pixels.reshape(-1, 3).tolist()}


def stretched(pixels, limits):
    """Return grey values as a picture should show them, one by one."""
    low, high = limits
    return [
        [round(min(1.0, max(0.0, (int(value) - low) / (high - low))) * 255) for value in row]
        for row in pixels.tolist()
    ]


def test_each_thumbnail_is_at_its_place_in_the_contrast_of_its_channel(picture_of, drawn):
    picture = picture_of(wells=("A01", "B03", "H12"), plate_format=(8, 12))
    page, layout = drawn(picture)
    for (well, channel), thumbnail in picture.thumbnails.items():
        shown = part(page, layout.thumbnail(channel, well, thumbnail.pixels.shape))
        limits = picture.channels[channel - 1].limits
        assert shown[..., 0].tolist() == stretched(thumbnail.pixels, limits)
        assert (shown == shown[..., :1]).all()


def test_one_grey_value_has_one_brightness_in_all_wells(picture_of, drawn):
    def pixels(well, _channel):
        # A dim well and a bright one, with one value that both have.
        low, high = (100, 500) if well == "A01" else (400, 5_000)
        image = np.linspace(low, high, 1_200).reshape(40, 30).astype(np.uint16)
        image[10:20, 10:20] = 450
        return image

    page, layout = drawn(picture_of(wells=("A01", "A02"), channels=("DAPI",), pixels=pixels))
    patches = [part(page, layout.thumbnail(1, well, (40, 30)))[10:20, 10:20] for well in ("A01", "A02")]
    assert len(colours(patches[0]) | colours(patches[1])) == 1
    dim, bright = (part(page, layout.thumbnail(1, well, (40, 30))).mean() for well in ("A01", "A02"))
    assert bright > 3 * dim


def test_the_frame_says_the_state_of_the_well_and_the_channel(picture_of, drawn):
    states = {("A01", 1, 2, 1, 1): PlaneState.MISSING}
    picture = picture_of(sites=(1, 2), states=states, plate_format=(2, 3))
    page, layout = drawn(picture)
    for (well, channel), state in picture.states.items():
        cell = layout.cell(channel, well)
        edges = [
            part(page, attrs.evolve(cell, height=layout.frame)),
            part(page, attrs.evolve(cell, width=layout.frame)),
        ]
        expected = {WellState.WHOLE: BLUE, WellState.LACKING: VERMILLION}[state]
        assert [colours(edge) for edge in edges] == [{expected}, {expected}]
        assert (state == WellState.LACKING) == ((well, channel) == ("A01", 2))
    empty = colours(part(page, layout.cell(1, "B03")))
    assert not empty & {BLUE, VERMILLION}
    assert PAPER in empty


@pytest.mark.parametrize("side", [16, 40, 120])
def test_marks_are_where_planes_are_absent_or_unreadable_and_nowhere_else(picture_of, drawn, side):
    states = {
        ("A01", 2, 1, 1, 1): PlaneState.MISSING,
        ("A02", 2, 1, 1, 1): PlaneState.NOT_RECORDED,
        ("B01", 2, 2, 1, 1): PlaneState.UNREADABLE,
        ("B02", 2, 2, 1, 1): PlaneState.DUPLICATE,
    }
    picture = picture_of(
        wells=("A01", "A02", "B01", "B02"),
        sites=(1, 2),
        states=states,
        pixels=lambda *_: np.zeros((side, side), np.uint16),
    )
    page, layout = drawn(picture)
    absent, unreadable = {("A01", 1), ("A02", 1)}, {("B01", 2)}
    for key in picture.states:
        well, channel = key
        upper_right, upper_left = layout.absent_mark(channel, well), layout.unreadable_mark(channel, well)
        # The triangle fills the upper right of its box; the cross is white in the middle of its square.
        inside = part(page, upper_right)[upper_right.height // 3, -upper_right.width // 3]
        middle = part(page, upper_left)[upper_left.height // 2, upper_left.width // 2]
        assert (tuple(inside.tolist()) == VERMILLION) == (key in absent)
        assert (tuple(middle.tolist()) == PAPER) == (key in unreadable)
        assert (VERMILLION in colours(part(page, upper_left))) == (key in unreadable)
        corner = part(page, layout.sites_strip(channel, well, 15))[-1, 0]
        assert (tuple(corner.tolist()) == VERMILLION) == (key in absent | unreadable and side >= 40)


def test_a_well_with_nothing_to_show_is_crossed_out(picture_of, drawn):
    states = {("A02", 1, 1, 1, 1): PlaneState.UNREADABLE}
    picture = picture_of(
        channels=("DAPI",), states=states, pixels=lambda well, _: np.zeros((90, 90), "u2") if well == "A01" else None
    )
    page, layout = drawn(picture)
    inner = layout.cell(1, "A02").inner(layout.frame)
    assert tuple(part(page, inner)[inner.height // 2, inner.width // 2].tolist()) == VERMILLION
    assert (0, 0, 0) not in colours(part(page, inner))


def test_the_scale_bar_has_the_length_that_it_says(picture_of, drawn):
    def black_run(picture):
        page, layout = drawn(picture)
        below = layout.panels[1].bottom - layout.scaled(30) // 2 + 1
        left = layout.panels[1].left + layout.columns[0][0]
        dark = (page[below, left:] == 0x20).all(axis=1)
        return int(np.argmin(dark))

    # 30 thumbnail pixels of 2 x 0.5 um and the frame: at most 0.8 x 34 um, so 20 um, which are 20 pixels.
    assert black_run(picture_of(channels=("DAPI",), block=2, image_shape=(80, 60))) == 20
    assert black_run(picture_of(channels=("DAPI",), block=2, image_shape=(80, 60), pixel_size_um=None)) == 0


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_planes_of_any_dtype_are_drawn(picture_of, drawn, dtype):
    ramp = np.linspace(0, 100, 64 * 64).reshape(64, 64).astype(dtype)
    page, layout = drawn(picture_of(wells=("A01",), channels=("DAPI",), pixels=lambda *_: ramp))
    shown = part(page, layout.thumbnail(1, "A01", ramp.shape))[..., 0]
    assert (shown[0, 0], shown[-1, -1]) == (0, 255)
    assert (np.diff(shown.ravel().astype(int)) >= 0).all()


def test_a_channel_of_one_grey_value_is_black(picture_of, drawn):
    flat = np.full((64, 64), 700, np.uint16)
    page, layout = drawn(picture_of(wells=("A01",), channels=("DAPI",), pixels=lambda *_: flat))
    assert colours(part(page, layout.thumbnail(1, "A01", flat.shape))) == {(0, 0, 0)}


@pytest.mark.parametrize(
    "name",
    ["Plate 7", "#1 µ β", "東京", "name\nof two lines\t", "a" * 500, "cut\udcff off", "العربية", "😀", "\u200b", " "],
)
def test_any_name_is_drawn(picture_of, drawn, name):
    page, layout = drawn(picture_of(name=name, channels=(name, "other")))
    assert page.shape[1] == layout.width
    assert (page[:, layout.width - 20 :] == 255).all()


def test_a_picture_gives_the_same_bytes_again(picture_of, tmp_path):
    states = {("A01", 1, 2, 1, 1): PlaneState.MISSING}
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    write(picture_of(states=states, name="β 1"), first)
    write(picture_of(states=states, name="β 1"), second)
    assert first.read_bytes() == second.read_bytes()


class SpotReader:
    """Reads planes that are all alike, and none of the well AF48."""

    def read(self, location, _selector):
        if "AF48" in location:
            raise ReadError(f"{location} is cut off.")
        plane = np.zeros((128, 96), np.uint16)
        plane[40:60, 30:50] = 900
        return plane


@pytest.fixture
def plugins(monkeypatch):
    """This plugin, and the reader of made-up planes."""
    module = ModuleType("spots_of_these_tests")
    module.SpotReader = SpotReader
    monkeypatch.setitem(sys.modules, module.__name__, module)
    spec = ReaderSpec(name="made_up", target=f"{module.__name__}:SpotReader")
    manager = PluginManager(strict=True)
    manager.register(plugin, name="report")
    manager.register(SimpleNamespace(hcs_api=1, hcs_readers=hookimpl(lambda: iter([spec]))), name="spots")
    return manager


def test_1536_wells_are_read_and_drawn_in_less_than_five_seconds(plugins, tmp_path):
    wells = [well_name(row, column) for row in range(32) for column in range(48)]
    states = {(well, 1, 1, 1, 1): PlaneState.MISSING for well in wells[::7]}
    plate = make_plate(wells=wells, sites=(1, 2), states=states)
    # Of the processor, as other work on the machine would count too.
    start = time.process_time()
    told = draw_plate(plate, tmp_path / "plate.png", plugins)
    assert time.process_time() - start < 5
    # Both channels at both sites of the one well, less those that are missing anyway.
    assert told.state_counts()["unreadable"] == 4
    with Image.open(tmp_path / "plate.png") as page:
        assert page.width < 3_000


def test_a_plate_without_any_image_is_drawn(picture_of, drawn):
    states = {(well, 1, channel, 1, 1): PlaneState.MISSING for well in ("A01", "A02") for channel in (1, 2)}
    page, layout = drawn(picture_of(states=states, pixels=lambda *_: None))
    assert VERMILLION in colours(part(page, layout.cell(2, "A02")))


def test_a_file_is_there_whole_or_not_at_all(picture_of, tmp_path):
    path = tmp_path / "plate.png"
    path.write_bytes(b"an older picture")
    write(picture_of(), path)
    with Image.open(path) as page:
        page.load()
    taken = tmp_path / "folder.png"
    taken.mkdir()
    with pytest.raises(OSError, match=r"folder\.png"):
        write(picture_of(), taken)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["folder.png", "plate.png"]
