"""Cropping a plane, and binning its pixels."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import block_reduce

from hcs_numpy.frames import bin_pixels
from hcs_operations import signatures
from hcs_operations.portable.frames import crop

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=14)
every_dtype = pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}


def noise(dtype, shape):
    return (np.random.default_rng(6).random(shape) * TOP[dtype]).astype(dtype)


@every_dtype
def test_crop_keeps_the_rectangle(dtype):
    image = np.arange(42).reshape(6, 7).astype(dtype)
    result = crop(image, y=1, x=2, height=2, width=3)
    np.testing.assert_array_equal(result, np.array([[9, 10, 11], [16, 17, 18]], dtype))
    assert result.dtype == dtype
    assert result.flags.c_contiguous


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [({}, 0, 41), ({"y": 5}, 35, 41), ({"x": 6}, 6, 41), ({"height": 1}, 0, 6), ({"y": 2, "width": 1}, 14, 35)],
)
def test_crop_goes_to_the_end_where_nothing_else_is_said(given, first, last):
    result = crop(np.arange(42, dtype=np.uint8).reshape(6, 7), **given)
    assert (result[0, 0], result[-1, -1]) == (first, last)


@quickly
@given(data=st.data(), shape=SHAPES)
def test_crop_has_the_frame_of_its_signature_and_the_pixels_of_the_plane(data, shape):
    y, x = (data.draw(st.integers(0, length - 1)) for length in shape)
    height = data.draw(st.none() | st.integers(1, shape[0] - y))
    width = data.draw(st.none() | st.integers(1, shape[1] - x))
    chosen = {"y": y, "x": x, "height": height, "width": width}
    image = np.random.default_rng(0).random(shape, np.float32)
    result = crop(image, **chosen)
    change = signatures.CROP.frame.change(shape, chosen)
    assert result.shape == change.shape
    for row, column in np.ndindex(result.shape):
        assert result[row, column] == image[int(change.origin[0]) + row, int(change.origin[1]) + column]


def test_crop_keeps_nan():
    np.testing.assert_array_equal(crop(np.float32([[1, np.nan]]), x=1), np.float32([[np.nan]]))


@pytest.mark.parametrize("given", [{"y": 6}, {"x": -1}, {"height": 7}, {"width": 0}, {"y": 3, "height": 4}])
def test_crop_refuses_what_does_not_lie_within_the_plane(given):
    with pytest.raises(ValueError, match="does not lie within 6 x 7 pixels"):
        crop(np.zeros((6, 7), np.uint8), **given)


@pytest.mark.parametrize(
    ("method", "answer"),
    [("mean", [[2, 6], [8, 100]]), ("sum", [[10, 22], [32, 255]]), ("max", [[4, 7], [9, 200]])],
)
@every_dtype
def test_known_answer(method, answer, dtype):
    # 2.5 and 5.5 go to even; the last row and column are left over.
    image = np.array([[1, 2, 7, 5, 9], [3, 4, 5, 5, 9], [8, 8, 0, 200, 9], [7, 9, 200, 0, 9], [9] * 5], dtype)
    wanted = np.array(answer, np.float64)
    if dtype == "float32" and method == "mean":
        wanted = np.array([[2.5, 5.5], [8, 100]])
    if dtype != "uint8" and method == "sum":
        wanted[1, 1] = 400
    np.testing.assert_array_equal(bin_pixels(image, method=method), wanted)


@every_dtype
@pytest.mark.parametrize("factor", [1, 2, 3, 5, 12, 16])
@pytest.mark.parametrize("shape", [(16, 16), (37, 50), (200, 333)])
@pytest.mark.parametrize(("method", "function"), [("mean", np.mean), ("sum", np.sum), ("max", np.max)])
def test_agrees_with_scikit_image(dtype, factor, shape, method, function):
    image = noise(dtype, shape)
    whole = image[: shape[0] // factor * factor, : shape[1] // factor * factor].astype(np.float64)
    wanted = block_reduce(whole, factor, function)
    result = bin_pixels(image, factor=factor, method=method)
    assert result.dtype == dtype
    if dtype == "float32":
        np.testing.assert_allclose(result, wanted, rtol=1e-6)
    else:
        np.testing.assert_array_equal(result, np.rint(wanted.clip(0, TOP[dtype])))


@quickly
@given(image=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES), factor=st.integers(1, 14))
def test_the_mean_is_exact_and_the_frame_is_that_of_the_signature(image, factor):
    if factor > min(image.shape):
        with pytest.raises(ValueError, match=f"factor={factor} leaves nothing of"):
            bin_pixels(image, factor=factor)
        return
    result = bin_pixels(image, factor=factor)
    assert result.shape == signatures.BIN.frame.change(image.shape, {"factor": factor}).shape
    for y, x in np.ndindex(result.shape):
        square = image[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
        assert result[y, x] == round(Fraction(sum(square.ravel().tolist()), factor * factor))


@pytest.mark.parametrize("factor", [11, 12, 24])
def test_the_mean_of_many_bright_pixels_is_exact(factor):
    # Beyond a factor of 11 the sum is more than float32 can round rightly.
    image = np.random.default_rng(1).integers(65000, 65536, (factor * 20, factor * 20)).astype(np.uint16)
    squares = image.reshape(20, factor, 20, factor).sum(axis=(1, 3), dtype=np.int64)
    wanted = [[round(Fraction(int(total), factor * factor)) for total in row] for row in squares]
    np.testing.assert_array_equal(bin_pixels(image, factor=factor), wanted)


@pytest.mark.parametrize("factor", [2, 6, 10])
def test_half_way_goes_to_even_for_every_grey_level(factor):
    # Half of each square is one level brighter than the other half.
    level = np.arange(65535)
    image = np.repeat(np.repeat(level, factor)[np.newaxis], factor, axis=0)
    image[: factor // 2] += 1
    wanted = [round(Fraction(2 * grey + 1, 2)) for grey in range(65535)]
    np.testing.assert_array_equal(bin_pixels(image.astype(np.uint16), factor=factor)[0], wanted)


@pytest.mark.parametrize("method", ["mean", "sum", "max"])
@every_dtype
def test_a_view_gives_what_its_copy_gives_and_is_not_changed(method, dtype):
    image = noise(dtype, (40, 50)).T[::-1, 1::2]
    before = image.copy()
    image.flags.writeable = False
    result = bin_pixels(image, factor=3, method=method)
    np.testing.assert_array_equal(result, bin_pixels(before, factor=3, method=method))
    np.testing.assert_array_equal(image, before)
    assert result.flags.c_contiguous


@pytest.mark.parametrize("method", ["mean", "sum", "max"])
def test_a_factor_of_1_is_a_copy(method):
    image = noise("uint16", (7, 9))
    result = bin_pixels(image, factor=1, method=method)
    np.testing.assert_array_equal(result, image)
    assert not np.shares_memory(result, image)


@pytest.mark.parametrize("method", ["mean", "sum", "max"])
def test_a_square_with_nan_is_nan(method):
    image = np.ones((4, 4), np.float32)
    image[1, 2] = np.nan
    np.testing.assert_array_equal(np.isnan(bin_pixels(image, method=method)), [[False, True], [False, False]])


def test_very_large_floats_have_a_finite_mean_and_an_infinite_sum():
    top = np.finfo(np.float32).max
    image = np.full((3, 3), top, np.float32)
    assert bin_pixels(image, factor=3)[0, 0] == top
    assert math.isinf(bin_pixels(image, factor=3, method="sum")[0, 0])


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("uint16", 65535), ("float32", 0.1)])
@pytest.mark.parametrize("method", ["mean", "max"])
def test_a_constant_plane_stays_constant(dtype, value, method):
    image = np.full((9, 11), value, dtype)
    assert (bin_pixels(image, factor=4, method=method) == image[0, 0]).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method='median' is none of mean, sum, max"):
        bin_pixels(np.zeros((2, 2), np.uint8), method="median")
