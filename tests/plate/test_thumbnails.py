"""Thumbnails: which plane is read, that every pixel of it counts, and what becomes of files that cannot be read."""

import threading
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hcs_core import PlaneState, ReadError, ReaderSpec, hookimpl, read_thumbnails, thumbnail_side, well_name
from hcs_core.plate.thumbnails import block_means
from hcs_core.testing.plates import make_plate

MISSING = PlaneState.MISSING


def exact_means(pixels, block):
    """Return the means of blocks as fractions, pixel by pixel."""
    height, width = pixels.shape
    return [
        [
            Fraction(sum(int(value) for value in tile.ravel()), tile.size)
            for left in range(0, width, block)
            for tile in [pixels[top : top + block, left : left + block]]
        ]
        for top in range(0, height, block)
    ]


@given(
    height=st.integers(1, 23),
    width=st.integers(1, 23),
    block=st.integers(1, 25),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "uint32"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_pixel_is_the_mean_of_its_block_rounded_halves_up(height, width, block, dtype, seed):
    limits = np.iinfo(dtype)
    pixels = np.random.default_rng(seed).integers(limits.min, limits.max, (height, width), dtype, endpoint=True)
    means = block_means(pixels, block)
    rounded = [[int((value + Fraction(1, 2)).__floor__()) for value in row] for row in exact_means(pixels, block)]
    assert means.dtype == pixels.dtype
    assert means.tolist() == rounded


def test_blocks_that_are_full_of_the_largest_value_do_not_overflow():
    assert block_means(np.full((700, 300), 65_535, np.uint16), 700).tolist() == [[65_535]]
    assert block_means(np.full((3, 3), 2**32 - 1, np.uint32), 2).max() == 2**32 - 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_means_of_other_dtypes_are_float32(dtype):
    pixels = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    means = block_means(pixels, 2)
    assert means.dtype == np.float32
    assert means.tolist() == [[0.5, 1.0]]


@pytest.fixture
def read(target, manager):
    """Return a function that reads the thumbnails of a made-up plate, and gives them with the files that were read.

    A plane's pixels are all `site * 100 + z_index * 10 + timepoint`, of the shape in `shapes` or 8 x 6.
    """

    def run(plate, *, side=4, broken=(), shapes=None):
        names, readers, lock = [], [], threading.Lock()

        class Reader:
            def __init__(self):
                readers.append(self)
                self.thread = None

            def read(self, location, _selector, region=None):
                assert region is None
                assert self.thread in {None, threading.get_ident()}, "a reader is used by one thread at a time"
                self.thread = threading.get_ident()
                name = location.rpartition("/")[2]
                with lock:
                    names.append(name)
                if name in broken:
                    raise ReadError(f"{location} is broken.")
                site, z_index, timepoint = (int(name.removesuffix(".tif").split("_")[at][1:]) for at in (1, 3, 4))
                return np.full((shapes or {}).get(name, (8, 6)), site * 100 + z_index * 10 + timepoint, np.uint16)

        spec = ReaderSpec(name="made_up", target=target("Reader", Reader))
        plugins = manager(SimpleNamespace(hcs_api=1, hcs_readers=hookimpl(lambda: iter([spec]))))
        return read_thumbnails(plate, plugins.readers, side), sorted(names)

    return run


def shown(found, well="A01", channel=1):
    thumbnail = found.images[well, channel]
    return thumbnail.site, thumbnail.z_index, thumbnail.timepoint


def test_one_plane_of_each_well_and_channel_is_read(read):
    plate = make_plate(sites=(1, 2), z_indexes=(1, 2, 3), timepoints=(1, 2))
    found, names = read(plate)
    assert names == [f"{well}_s1_w{channel}_z2_t1.tif" for well in ("A01", "A02") for channel in (1, 2)]
    assert set(found.images) == {(well, channel) for well in ("A01", "A02") for channel in (1, 2)}
    assert found.faults == {}


def test_the_thumbnail_is_of_the_plane_that_it_names(read):
    found, _ = read(make_plate(sites=(3, 5), z_indexes=(4, 5, 6), timepoints=(2, 7)))
    thumbnail = found.images["A02", 2]
    assert shown(found, "A02", 2) == (3, 5, 2)
    assert np.unique(thumbnail.pixels).tolist() == [352]
    assert (thumbnail.shape, thumbnail.block, thumbnail.pixels.shape) == ((8, 6), 2, (4, 3))


@pytest.mark.parametrize(
    ("z_indexes", "absent", "expected"),
    [
        ((1, 2, 3), (), (1, 2, 1)),
        ((1, 2), (), (1, 1, 1)),
        ((1, 2, 3, 4), (), (1, 2, 1)),
        ((1, 2, 3), (2,), (1, 1, 1)),
        ((1, 2, 3), (1, 2), (1, 3, 1)),
        ((0, 1, 2, 3), (), (1, 0, 1)),
        ((0, 1, 2, 3), (0,), (1, 2, 1)),
        ((0,), (), (1, 0, 1)),
        ((1, 2, 3), (1, 2, 3), (2, 2, 1)),
    ],
)
def test_a_projection_or_the_middle_or_what_is_nearest_to_it(read, z_indexes, absent, expected):
    states = {("A01", 1, 1, z_index, 1): MISSING for z_index in absent}
    found, _ = read(make_plate(sites=(1, 2), z_indexes=z_indexes, states=states))
    assert shown(found) == expected


def test_the_first_timepoint_that_a_well_has(read):
    states = {("A01", site, 1, 1, 1): MISSING for site in (1, 2)}
    found, _ = read(make_plate(sites=(1, 2), timepoints=(1, 2), states=states))
    assert (shown(found), shown(found, "A02")) == ((1, 1, 2), (1, 1, 1))


def test_where_a_file_cannot_be_read_the_next_site_is_tried(read):
    plate = make_plate(wells=("A01",), sites=(1, 2, 3), channels=("DAPI",), z_indexes=(1, 2, 3))
    broken = ("A01_s1_w1_z2_t1.tif", "A01_s2_w1_z2_t1.tif")
    found, names = read(plate, broken=broken)
    assert names == [*broken, "A01_s3_w1_z2_t1.tif"]
    assert shown(found) == (3, 2, 1)
    assert {plate.planes.uri[row]: text for row, text in found.faults.items()} == {
        name: f"made_up/{name} is broken." for name in broken
    }


def test_a_well_of_which_nothing_can_be_read_has_no_thumbnail(read):
    plate = make_plate(wells=("A01", "B02"), sites=(1, 2), channels=("DAPI",))
    found, _ = read(plate, broken=("A01_s1_w1_z1_t1.tif", "A01_s2_w1_z1_t1.tif"))
    assert set(found.images) == {("B02", 1)}
    assert len(found.faults) == 2


def test_a_plate_without_any_file_has_no_thumbnails(read):
    states = {(well, 1, channel, 1, 1): MISSING for well in ("A01", "A02") for channel in (1, 2)}
    found, names = read(make_plate(states=states))
    assert (found.images, found.faults, names) == ({}, {}, [])


def test_a_channel_that_one_well_has_not_is_not_read_there(read):
    found, _ = read(make_plate(without=[("A02", 1, 2, 1, 1)]))
    assert set(found.images) == {("A01", 1), ("A01", 2), ("A02", 1)}


def test_a_plane_of_another_size_fits_too(read):
    found, _ = read(make_plate(wells=("A01", "A02"), channels=("DAPI",)), shapes={"A02_s1_w1_z1_t1.tif": (37, 90)})
    thumbnail = found.images["A02", 1]
    assert (thumbnail.shape, thumbnail.block, thumbnail.pixels.shape) == ((37, 90), 23, (2, 4))


def test_the_more_wells_and_channels_the_smaller_are_the_thumbnails():
    every = [well_name(row, column) for row in range(32) for column in range(48)]
    assert thumbnail_side(make_plate(wells=("A01",))) == 192
    plates = [
        make_plate(
            wells=[well for well in every if well[0] in "ABCDEFGH" and len(well) == 3 and int(well[1:]) <= 12]
        ),
        make_plate(wells=every),
        make_plate(wells=every, channels=("a", "b", "c", "d")),
    ]
    sides = [thumbnail_side(plate) for plate in plates]
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] >= 16
    for plate, side in zip(plates, sides, strict=True):
        assert len(plate.wells) * len(plate.channels) * side**2 <= 2_400_000
