"""Sharpening a plane with a Gaussian."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.filters import unsharp_mask as skimage_unsharp_mask

from hcs_numpy.filters import gaussian_blur, unsharp_mask

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}


def exact(image, radius, amount):
    """Compute in float64; scipy's `mirror` is the border of the operation."""
    pixels = image.astype(np.float64)
    return pixels + amount * (pixels - ndimage.gaussian_filter(pixels, radius, mode="mirror", truncate=4.0))


def agrees(result, wanted, amount):
    if result.dtype == np.float32:
        np.testing.assert_allclose(result, wanted, atol=1e-6 * (1 + amount) * max(1.0, np.abs(wanted).max()))
        return
    # A number half-way may fall to the other side, and nothing else.
    clipped = wanted.clip(0, np.iinfo(result.dtype).max)
    assert np.abs(result - clipped).max() < 0.5 + 0.01 * (1 + amount)


def noise(dtype, shape, seed=5):
    return (np.random.default_rng(seed).random(shape) * TOP[dtype]).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer_for_a_spot(dtype):
    # At sigma 0.5 the weights of a line are 1, e**-2 and e**-8 over their sum.
    line = np.exp([-8, -2, 0, -2, -8])
    spot = np.zeros((5, 5))
    spot[2, 2] = 1
    wanted = 20 + 100 * (spot + 0.5 * (spot - np.outer(line, line) / line.sum() ** 2))
    image = np.full((9, 9), 20, dtype)
    image[4, 4] = 120
    result = unsharp_mask(image, radius=0.5, amount=0.5)
    np.testing.assert_allclose(result[2:7, 2:7], wanted if dtype == "float32" else np.rint(wanted), rtol=1e-6)
    assert (result[:, 0] == 20).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("radius", "amount"), [(1.0, 1.0), (0.4, 3.0), (2.7, 0.3), (11, 1.5)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (40, 61), (130, 25)])
def test_agrees_with_the_formula_in_float64(dtype, radius, amount, shape):
    image = noise(dtype, shape)
    agrees(unsharp_mask(image, radius=radius, amount=amount), exact(image, radius, amount), amount)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_agrees_with_scikit_image_on_a_plane_with_its_border(dtype):
    # scikit-image has another border: it gets the pixels beyond ours, and what it makes of them is cut off.
    image = noise(dtype, (60, 47))
    around = np.pad(image, 10, mode="reflect").astype(np.float64)
    wanted = skimage_unsharp_mask(around, radius=2, amount=1.2, preserve_range=True)[10:-10, 10:-10]
    agrees(unsharp_mask(image, radius=2, amount=1.2), wanted, 1.2)


def test_the_defaults_are_a_radius_and_an_amount_of_1():
    image = noise("uint16", (20, 30))
    np.testing.assert_array_equal(unsharp_mask(image), unsharp_mask(image, radius=1.0, amount=1.0))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_an_amount_of_0_leaves_the_plane(dtype):
    image = noise(dtype, (12, 17))
    np.testing.assert_array_equal(unsharp_mask(image, radius=3, amount=0), image)


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("uint16", 30001), ("float32", 0.1)])
@pytest.mark.parametrize("radius", [0.6, 5])
def test_a_constant_plane_stays_constant(dtype, value, radius):
    image = np.full((30, 21), value, dtype)
    np.testing.assert_allclose(unsharp_mask(image, radius=radius, amount=2), image, rtol=2e-6)


def test_integers_are_clipped_at_both_ends_and_floats_are_not():
    edge = np.repeat([[0, 255]], 8, axis=1).repeat(6, axis=0)
    result = unsharp_mask(edge.astype(np.uint8), amount=100)
    np.testing.assert_array_equal(result, edge)
    floats = unsharp_mask(edge.astype(np.float32), amount=1)
    assert floats.min() < -50
    assert floats.max() > 300


@quickly
@given(
    image=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES),
    radius=st.floats(0.01, 12),
    amount=st.floats(0, 100),
)
def test_agrees_on_any_plane_of_integers(image, radius, amount):
    agrees(unsharp_mask(image, radius=radius, amount=amount), exact(image, radius, amount), amount)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_spreads_as_far_as_the_gaussian_reaches(value):
    image = np.ones((31, 31), np.float32)
    image[15, 15] = value
    result = unsharp_mask(image, radius=1)
    unfit = np.zeros_like(image, bool)
    unfit[11:20, 11:20] = True
    np.testing.assert_array_equal(~np.isfinite(result), unfit)


def test_is_what_gaussian_blur_leaves_out():
    image = noise("float32", (50, 40))
    wanted = image + 0.7 * (image - gaussian_blur(image, sigma=3))
    np.testing.assert_allclose(unsharp_mask(image, radius=3, amount=0.7), wanted, rtol=1e-5, atol=0.1)
