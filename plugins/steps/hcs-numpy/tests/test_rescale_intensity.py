"""Mapping one range of grey levels onto another."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from skimage.exposure import rescale_intensity as skimage_rescale

from hcs_numpy.intensity import rescale_intensity

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
INTEGERS = hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES)
TOP = {"uint8": 255, "uint16": 65535, "float32": 1.0}


def noise(dtype, shape=(63, 90)):
    grey = np.random.default_rng(8).gamma(2.0, 0.08, shape).clip(0.02, 0.9)
    return (grey * {"uint8": 255, "uint16": 65535, "float32": 1e5}[dtype]).astype(dtype)


def agrees(result, wanted):
    if result.dtype == np.float32:
        np.testing.assert_allclose(result, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())
    else:
        np.testing.assert_array_equal(result, np.rint(wanted))


@pytest.mark.parametrize(
    ("dtype", "answer"),
    [("uint8", [0, 64, 128, 255]), ("uint16", [0, 16384, 32768, 65535]), ("float32", [0, 0.25, 0.5, 1])],
)
def test_known_answer_with_the_defaults(dtype, answer):
    # 10 to 50 becomes the whole range: 127.5 and 32767.5 go to even.
    image = np.array([[10, 20], [30, 50]], dtype)
    np.testing.assert_array_equal(rescale_intensity(image).ravel(), answer)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer_with_all_four_limits(dtype):
    image = np.array([[0, 10, 20, 30, 99]], dtype)
    result = rescale_intensity(image, low=10, high=30, out_low=100, out_high=200)
    np.testing.assert_array_equal(result, np.array([[100, 100, 150, 200, 200]], dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_an_output_range_upside_down_inverts(dtype):
    image = np.array([[0, 10, 20, 30]], dtype)
    result = rescale_intensity(image, out_low=60, out_high=0)
    np.testing.assert_array_equal(result, np.array([[60, 40, 20, 0]], dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(
    "limits",
    [{}, {"low": 12}, {"high": 77.5}, {"low": 8.25, "high": 60}, {"out_low": 20, "out_high": 200}, {"out_high": 99}],
    ids=str,
)
def test_agrees_with_scikit_image(dtype, limits):
    image = noise(dtype)
    source = (limits.get("low", image.min()), limits.get("high", image.max()))
    target = (limits.get("out_low", 0), limits.get("out_high", TOP[dtype]))
    # In float64 and not as the dtype itself, since scikit-image cuts decimals off where it should round.
    wanted = skimage_rescale(image.astype(np.float64), in_range=source, out_range=target)
    agrees(rescale_intensity(image, **limits), wanted)


@quickly
@given(image=INTEGERS, low=st.floats(0, 300), width=st.floats(0.5, 70000), out=st.tuples(*[st.integers(0, 255)] * 2))
def test_agrees_with_the_formula_on_any_plane(image, low, width, out):
    place = np.clip((image.astype(np.float64) - low) / (low + width - low), 0, 1)
    wanted = out[0] + (out[1] - out[0]) * place
    result = rescale_intensity(image, low=low, high=low + width, out_low=out[0], out_high=out[1])
    assert np.abs(result - wanted).max() <= 0.5 + 1e-9


@quickly
@given(image=INTEGERS)
def test_what_has_the_whole_range_stays_as_it_is(image):
    once = rescale_intensity(image)
    np.testing.assert_array_equal(rescale_intensity(once), once)
    if image.min() < image.max():
        assert (once.min(), once.max()) == (0, np.iinfo(image.dtype).max)


def test_what_an_integer_cannot_hold_is_clipped_to_it():
    image = np.array([[0, 50, 100]], np.uint8)
    np.testing.assert_array_equal(rescale_intensity(image, out_low=-100, out_high=400), [[0, 150, 255]])


def test_small_contrast_on_a_large_offset_keeps_its_digits():
    image = np.linspace(1e6, 1e6 + 2, 33, dtype=np.float32).reshape(3, 11)
    np.testing.assert_allclose(rescale_intensity(image), (image.astype(np.float64) - 1e6) / 2, atol=1e-7)


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 0), ("uint8", 255), ("uint16", 700), ("float32", 0.25)])
@pytest.mark.parametrize("shape", [(1, 1), (4, 7)])
def test_a_constant_plane_within_the_output_range_stays_as_it_is(dtype, value, shape):
    image = np.full(shape, value, dtype)
    np.testing.assert_array_equal(rescale_intensity(image), image)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("out", [(10, 20), (20, 10)])
@pytest.mark.parametrize(("value", "answer"), [(3, 10), (15, 15), (90, 20)])
def test_a_constant_plane_is_clipped_into_the_output_range(dtype, out, value, answer):
    result = rescale_intensity(np.full((3, 4), value, dtype), out_low=out[0], out_high=out[1])
    assert (result == answer).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(
    ("limits", "answer"),
    [({"low": 40}, 0), ({"low": 90}, 0), ({"high": 40}, 1), ({"high": 2}, 1)],
    ids=str,
)
def test_a_limit_at_or_beyond_all_pixels_is_what_all_become(dtype, limits, answer):
    image = np.full((2, 3), 40, dtype)
    assert (rescale_intensity(image, **limits) == answer * TOP[dtype]).all()


def test_nan_stays_nan_and_infinities_are_clipped_and_neither_counts():
    image = np.array([[-np.inf, 0, 5, 10, np.inf, np.nan]], np.float32)
    wanted = np.float32([[2, 2, 3, 4, 4, np.nan]])
    np.testing.assert_array_equal(rescale_intensity(image, out_low=2, out_high=4), wanted)
    np.testing.assert_array_equal(rescale_intensity(image, low=0, high=10, out_low=2, out_high=4), wanted)


def test_a_plane_without_a_finite_pixel_stays_as_it_is():
    image = np.array([[np.nan, np.inf]], np.float32)
    result = rescale_intensity(image)
    np.testing.assert_array_equal(result, image)
    assert not np.shares_memory(result, image)


@pytest.mark.parametrize(("low", "high"), [(50, 50), (99, 1)])
def test_low_must_be_below_high(low, high):
    with pytest.raises(ValueError, match=f"low={low} must be below high={high}"):
        rescale_intensity(np.zeros((2, 2), np.uint8), low=low, high=high)
