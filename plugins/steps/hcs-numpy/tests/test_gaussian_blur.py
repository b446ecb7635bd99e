"""Blurring a plane with a Gaussian."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy.filters import gaussian_blur

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
SIGMAS = st.floats(0.01, 12)


def along(length, sigma):
    """Return the matrix that blurs a line: sampled, cut off at 4 sigma, mirrored at the centres of the end pixels."""
    radius = int(4 * sigma + 0.5)
    offsets = range(-radius, radius + 1)
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in offsets]
    matrix = np.zeros((length, length))
    period = max(1, 2 * (length - 1))
    for place in range(length):
        for offset, weight in zip(offsets, weights, strict=True):
            folded = (place + offset) % period
            matrix[place, min(folded, period - folded)] += weight / math.fsum(weights)
    return matrix


def expected(image, sigma):
    return along(image.shape[0], sigma) @ image.astype(np.float64) @ along(image.shape[1], sigma).T


def agrees(image, sigma):
    result = gaussian_blur(image, sigma=sigma)
    wanted = expected(image, sigma)
    if image.dtype == np.float32:
        np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-30)
    else:
        difference = np.abs(result - np.rint(wanted))
        assert difference.max() <= 1
        # One grey level of difference is a number half-way that fell to the other side, not a wrong number.
        assert np.abs(result - wanted).max() < 0.51


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer_for_a_spot(dtype):
    # At sigma 0.5 the weights of a line are 1, e**-2 and e**-8 over their sum.
    line = np.array([math.exp(-8), math.exp(-2), 1, math.exp(-2), math.exp(-8)])
    line /= line.sum()
    image = np.zeros((7, 7), dtype)
    image[3, 3] = 200
    wanted = np.zeros((7, 7))
    wanted[1:6, 1:6] = 200 * np.outer(line, line)
    result = gaussian_blur(image, sigma=0.5)
    if dtype == "float32":
        np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-7)
    else:
        np.testing.assert_array_equal(result, np.rint(wanted))
        assert result[3].tolist() == [0, 0, 17, 124, 17, 0, 0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_border_mirrors_about_the_centre_of_its_pixels(dtype):
    # Beside 0 100 0 0 the mirror shows 100 again: the first pixel gets it from both sides.
    weight = math.exp(-2) / (1 + 2 * math.exp(-2) + 2 * math.exp(-8))
    image = np.array([[0, 100, 0, 0, 0]], dtype)
    assert gaussian_blur(image, sigma=0.5)[0, 0] == pytest.approx(200 * weight, abs=0.5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("sigma", [0.3, 1, 2.2, 6, 15])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 5), (40, 61), (130, 25)])
def test_agrees_with_a_convolution_in_float64(dtype, sigma, shape):
    noise = np.random.default_rng(5).random(shape)
    agrees((noise * {"uint8": 255, "uint16": 65535, "float32": 1e5}[dtype]).astype(dtype), sigma)


@quickly
@given(
    image=hnp.arrays("uint8", SHAPES)
    | hnp.arrays("uint16", SHAPES)
    | hnp.arrays("float32", SHAPES, elements=st.floats(0, 1e6, width=32, allow_subnormal=False)),
    sigma=SIGMAS,
)
def test_agrees_on_any_image(image, sigma):
    agrees(image, sigma)


@quickly
@given(image=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES), sigma=SIGMAS)
def test_stays_between_the_darkest_and_the_brightest(image, sigma):
    result = gaussian_blur(image, sigma=sigma)
    assert image.min() <= result.min()
    assert result.max() <= image.max()


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("uint8", 1), ("uint16", 65535), ("uint16", 30001)])
@pytest.mark.parametrize("sigma", [0.4, 5, 60])
def test_a_constant_image_stays_constant(dtype, value, sigma):
    image = np.full((50, 41), value, dtype)
    np.testing.assert_array_equal(gaussian_blur(image, sigma=sigma), image)


def test_a_constant_float_image_stays_constant():
    result = gaussian_blur(np.full((50, 41), 1234.5, np.float32), sigma=7)
    np.testing.assert_allclose(result, 1234.5, rtol=1e-5)


@pytest.mark.parametrize("sigma", [1, 3.5])
def test_the_mean_stays_where_the_border_is_far(sigma):
    image = np.zeros((80, 90), np.float32)
    image[35:45, 40:50] = np.random.default_rng(2).random((10, 10)) * 1000
    assert gaussian_blur(image, sigma=sigma).mean(dtype=np.float64) == pytest.approx(image.mean(), rel=1e-5)


def test_blurring_widens_by_sigma():
    image = np.zeros((81, 81), np.float32)
    image[40, 40] = 1
    result = gaussian_blur(image, sigma=4).astype(np.float64)
    offset = np.arange(81) - 40
    # Cut off at 4 sigma, a Gaussian's variance is smaller by a thousandth.
    assert math.sqrt((result.sum(axis=0) * offset**2).sum()) == pytest.approx(4, rel=2e-3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("sigma", [0.5, 4, 11, 30, 120])
def test_strips_leave_no_seams(dtype, sigma):
    # Planes of integers are blurred in strips; those of floats at once.
    image = np.random.default_rng(4).integers(0, 256, (400, 20)).astype(dtype)
    at_once = gaussian_blur(image.astype(np.float32), sigma=sigma)
    assert np.abs(gaussian_blur(image, sigma=sigma) - at_once).max() < 0.501


def test_nan_spreads_as_far_as_the_gaussian_reaches():
    image = np.ones((21, 21), np.float32)
    image[10, 10] = np.nan
    lost = np.isnan(gaussian_blur(image, sigma=1))
    assert lost[6:15, 6:15].all()
    assert lost.sum() == 81
