"""The rule of the pyramid, against arithmetic in Python's own integers and in float64."""

import numpy as np
import pytest

from hcs_zarr.pyramid import half

INTEGERS = ["uint8", "uint16", "int8", "int16", "int32", "uint32", "int64", "uint64"]
SIZES = [(6, 8), (7, 8), (6, 9), (7, 9), (1, 1), (1, 6), (35, 71)]


def neighbours(plane, y, x):
    """The four pixels under (y, x) of the next level; the last row or column counts twice."""
    last_y, last_x = plane.shape[0] - 1, plane.shape[1] - 1
    return [plane[min(2 * y + dy, last_y), min(2 * x + dx, last_x)].item() for dy in (0, 1) for dx in (0, 1)]


def expected_shape(shape):
    return ((shape[0] + 1) // 2, (shape[1] + 1) // 2)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("shape", SIZES)
def test_integers_are_rounded_half_up(dtype, shape):
    limits = np.iinfo(dtype)
    plane = np.random.default_rng(1).integers(limits.min, limits.max, shape, dtype, endpoint=True)
    plane[0, 0] = limits.max
    level = half(plane)
    assert level.dtype == plane.dtype
    assert level.shape == expected_shape(shape)
    for (y, x), value in np.ndenumerate(level):
        # floor((sum + 2) / 4) of whole numbers of any size.
        assert value.item() == (sum(neighbours(plane, y, x)) + 2) // 4


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_remainder_rounds_as_stated(dtype):
    for remainder, rounded in ((0, 7), (1, 7), (2, 8), (3, 8)):
        plane = np.full((2, 2), 7, dtype)
        plane.ravel()[:remainder] += 1
        assert half(plane).item() == rounded


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-15), ("float16", 1e-3)])
@pytest.mark.parametrize("shape", SIZES)
def test_floats_are_the_mean(dtype, tolerance, shape):
    plane = np.random.default_rng(2).normal(100, 30, shape).astype(dtype)
    level = half(plane)
    assert level.dtype == plane.dtype
    assert level.shape == expected_shape(shape)
    for (y, x), value in np.ndenumerate(level):
        assert value.item() == pytest.approx(sum(neighbours(plane, y, x)) / 4, rel=tolerance)


def test_booleans_are_true_from_two_of_four():
    plane = np.zeros((2, 10), bool)
    for count in range(5):
        block = np.zeros(4, bool)
        block[:count] = True
        plane[:, 2 * count : 2 * count + 2] = block.reshape(2, 2)
    assert half(plane).tolist() == [[False, False, True, True, True]]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int32"])
def test_the_plane_is_neither_changed_nor_needed_contiguous(dtype):
    whole = np.arange(40 * 60).reshape(40, 60).astype(dtype)
    view = whole[1:30:2, 3:50]
    view.flags.writeable = False
    before = whole.copy()
    assert np.array_equal(half(view), half(view.copy()))
    assert np.array_equal(whole, before)
