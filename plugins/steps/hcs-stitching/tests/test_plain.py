"""The plain stitcher: compared with mosaics put together pixel by pixel."""

import doctest

import numpy as np
import pytest
from hypothesis import given, strategies as st

from hcs_stitching import plain
from hcs_stitching.plain import PlainStitcher


def never():
    raise AssertionError("no image is needed for positions")


def pixel_by_pixel(tiles, positions, shape, overlap):
    """The mosaic of the rule as it is written down, one pixel after the other."""
    mosaic = np.zeros(shape, tiles[0].dtype)
    order = list(zip(tiles, positions, strict=True))
    for tile, (y, x) in order if overlap == "last" else order[::-1]:
        for row in range(tile.shape[0]):
            for column in range(tile.shape[1]):
                # The nearest whole pixel; of two that are as near, the greater.
                at = int(np.floor(y + 0.5)) + row, int(np.floor(x + 0.5)) + column
                if 0 <= at[0] < shape[0] and 0 <= at[1] < shape[1]:
                    mosaic[at] = tile[row, column]
    return mosaic


def test_positions_are_the_nominal_ones_and_no_tile_is_asked_for():
    nominal = np.array([[0.0, 0.5], [10.25, -3.0], [7.0, 99.999]])
    found = PlainStitcher().positions([never] * 3, nominal)
    assert found.yx.tolist() == nominal.tolist()
    assert found.confidence.tolist() == [0.0, 0.0, 0.0]
    found.yx[:] = 0
    assert nominal[2, 1] == 99.999


places = st.tuples(*[st.floats(-6, 12).map(lambda value: round(value * 4) / 4)] * 2)


@given(
    st.lists(st.tuples(places, st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=5),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from(["first", "last"]),
    st.sampled_from(["uint8", "uint16", "float32"]),
)
def test_each_tile_lies_at_the_nearest_pixel_and_the_first_or_last_is_shown(layout, shape, overlap, dtype):
    tiles = [
        np.arange(1, height * width + 1).reshape(height, width).astype(dtype) + np.asarray(number * 30, dtype)
        for number, (_, height, width) in enumerate(layout)
    ]
    positions = np.array([place for place, _, _ in layout])
    before = [tile.copy() for tile in tiles]
    mosaic = PlainStitcher().fuse(iter(tiles), positions, shape, overlap=overlap)
    np.testing.assert_array_equal(mosaic, pixel_by_pixel(tiles, positions, shape, overlap))
    assert mosaic.dtype == np.dtype(dtype)
    for tile, old in zip(tiles, before, strict=True):
        np.testing.assert_array_equal(tile, old)


def test_half_a_pixel_goes_the_same_way_wherever_the_origin_is():
    tiles = [np.ones((1, 1), np.uint8), np.full((1, 1), 2, np.uint8)]
    for shift in range(-1, 3):
        positions = np.array([[0.0, shift - 0.5], [0.0, shift + 1.5]])
        mosaic = PlainStitcher().fuse(tiles, positions, (1, 8))
        columns = {value: np.flatnonzero(mosaic[0] == value).tolist() for value in (1, 2)}
        assert columns == {1: [shift] if shift >= 0 else [], 2: [shift + 2]}


def test_one_tile_is_asked_for_at_a_time():
    alive = []

    class Counted(np.ndarray):
        pass

    def give():
        import weakref

        for number in range(5):
            assert sum(ref() is not None for ref in alive) <= 1
            tile = np.full((2, 2), number, np.uint8).view(Counted)
            alive.append(weakref.ref(tile))
            yield tile
            del tile

    positions = np.array([[0.0, 2.0 * number] for number in range(5)])
    mosaic = PlainStitcher().fuse(give(), positions, (2, 10))
    assert mosaic[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert type(mosaic) is np.ndarray


@pytest.mark.parametrize(
    ("tiles", "count", "message"),
    [
        ([], 0, "no tile"),
        ([np.zeros((2, 2), np.uint8)], 2, "shorter|argument"),
        ([np.zeros((2, 2), np.uint8)] * 2, 1, "longer|argument"),
        ([np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint16)], 2, "tiles of uint8 and of uint16"),
    ],
)
def test_what_is_no_mosaic_is_refused(tiles, count, message):
    with pytest.raises(ValueError, match=message):
        PlainStitcher().fuse(tiles, np.zeros((count, 2)), (4, 4))


def test_the_example_is_right():
    results = doctest.testmod(plain)
    assert results.attempted > 0
    assert results.failed == 0
