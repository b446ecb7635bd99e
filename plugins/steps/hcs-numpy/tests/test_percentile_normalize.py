"""Stretching a plane between two of its percentiles."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy.intensity import percentile_normalize
from hcs_operations import histograms
from hcs_operations.percentiles import percentiles

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
INTEGERS = st.sampled_from(["uint8", "uint16"]).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))
FLOATS = hnp.arrays("float32", SHAPES, elements=st.floats(-(2.0**100), 2.0**100, width=32))


def expected(image, low, high):
    """Compute in float64 with numpy's percentiles."""
    top = 1.0 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    first, last = np.percentile(image.astype(np.float64), [low, high])
    if first == last:
        return image.astype(np.float64)
    return np.clip((image.astype(np.float64) - first) / (last - first), 0, 1) * top


@pytest.mark.parametrize(("dtype", "answer"), [("uint8", [0, 64, 128, 255]), ("uint16", [0, 16384, 32768, 65535])])
def test_known_answer_for_integers(dtype, answer):
    # 10 to 50 becomes 0 to the top: 20 is a quarter (63.75 and 16383.75), 30 a half (127.5 and 32767.5, to even).
    image = np.array([[10, 20], [30, 50]], dtype)
    np.testing.assert_array_equal(percentile_normalize(image, low=0, high=100).ravel(), answer)


def test_known_answer_for_floats():
    image = np.array([[-1.0, 0.0, 1.0, 3.0]], np.float32)
    np.testing.assert_array_equal(percentile_normalize(image, low=0, high=100), np.float32([[0, 0.25, 0.5, 1]]))


def test_what_lies_outside_is_clipped():
    # Of 0, 1, ... 100 the percentile p is p.
    image = np.arange(101, dtype=np.uint8).reshape(1, -1)
    result = percentile_normalize(image, low=10, high=90)[0]
    assert (result[:11] == 0).all()
    assert (result[90:] == 255).all()
    assert result[50] == 128
    assert 0 < result[11] < result[89] < 255


def test_the_defaults_are_the_percentiles_1_and_99():
    image = np.arange(10201, dtype=np.uint16).reshape(101, 101)
    np.testing.assert_array_equal(percentile_normalize(image), percentile_normalize(image, low=1.0, high=99.0))
    assert (percentile_normalize(image) == 0).sum() == 103


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("low", "high"), [(1, 99), (0, 100), (0.1, 33.3), (50, 50.001)])
def test_agrees_with_numpy_on_a_picture(dtype, low, high):
    noise = np.random.default_rng(3).gamma(2.0, 0.1, (97, 131)).clip(0, 1)
    image = (noise * {"uint8": 255, "uint16": 65535, "float32": 1e5}[dtype]).astype(dtype)
    result = percentile_normalize(image, low=low, high=high)
    wanted = expected(image, low, high)
    if dtype == "float32":
        np.testing.assert_allclose(result, wanted, atol=1e-7)
    else:
        np.testing.assert_array_equal(result, np.rint(wanted))


def test_small_contrast_on_a_large_offset_keeps_its_digits():
    image = np.linspace(1e6, 1e6 + 2, 33, dtype=np.float32).reshape(3, 11)
    np.testing.assert_allclose(percentile_normalize(image, low=3, high=96), expected(image, 3, 96), atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(1, 1), (4, 7)])
def test_a_constant_plane_stays_as_it_is(dtype, shape):
    image = np.full(shape, 7, dtype)
    np.testing.assert_array_equal(percentile_normalize(image), image)


def test_a_plane_without_contrast_between_the_percentiles_stays_as_it_is():
    image = np.zeros((40, 40), np.uint16)
    image[3, 3] = 900
    np.testing.assert_array_equal(percentile_normalize(image), image)


def test_nan_stays_nan_and_counts_for_nothing():
    image = np.array([[0.0, 5.0, 10.0, np.nan]], np.float32)
    result = percentile_normalize(image, low=0, high=100)
    np.testing.assert_array_equal(result, np.float32([[0.0, 0.5, 1.0, np.nan]]))


def test_infinities_are_clipped_and_count_for_nothing():
    image = np.array([[-np.inf, 0.0, 5.0, 10.0, np.inf]], np.float32)
    result = percentile_normalize(image, low=0, high=100)
    np.testing.assert_array_equal(result, np.float32([[0.0, 0.0, 0.5, 1.0, 1.0]]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_plane_without_a_finite_pixel_stays_as_it_is(value):
    image = np.full((3, 4), value, np.float32)
    np.testing.assert_array_equal(percentile_normalize(image), image)


@pytest.mark.parametrize(("low", "high"), [(50, 50), (99, 1)])
def test_low_must_be_below_high(low, high):
    with pytest.raises(ValueError, match=f"low={low} must be below high={high}"):
        percentile_normalize(np.zeros((2, 2), np.uint8), low=low, high=high)


@quickly
@given(image=INTEGERS | FLOATS, percents=st.tuples(*[st.floats(0, 100)] * 3))
def test_percentiles_are_those_of_numpy(image, percents):
    np.testing.assert_array_equal(percentiles(image, percents), np.percentile(image.astype(np.float64), percents))


@quickly
@given(image=hnp.arrays("float32", SHAPES, elements=st.floats(width=32)))
def test_percentiles_are_those_of_the_finite_pixels(image):
    finite = image[np.isfinite(image)].astype(np.float64)
    wanted = np.percentile(finite, [0, 100]) if finite.size else []
    np.testing.assert_array_equal(percentiles(image, (0, 100)), wanted)


def test_percentiles_of_more_pixels_than_are_counted_at_a_time(monkeypatch):
    image = np.random.default_rng(1).integers(0, 65536, (50, 40)).astype(np.uint16)
    monkeypatch.setattr(histograms, "COUNTED_PIXELS", 300)
    wanted = np.percentile(image, [2.5, 60])
    np.testing.assert_allclose(percentiles(image, (2.5, 60)), wanted, rtol=1e-15)


@quickly
@given(image=INTEGERS | FLOATS, low=st.floats(0, 49), high=st.floats(51, 100))
def test_brighter_stays_brighter(image, low, high):
    result = percentile_normalize(image, low=low, high=high)
    order = np.argsort(image, axis=None, kind="stable")
    sorted_result = result.ravel()[order].astype(np.float64)
    assert (np.diff(sorted_result) >= 0).all()


@quickly
@given(image=INTEGERS)
def test_a_stretched_plane_is_stretched_already(image):
    once = percentile_normalize(image, low=0, high=100)
    np.testing.assert_array_equal(percentile_normalize(once, low=0, high=100), once)
    if image.min() < image.max():
        assert (once.min(), once.max()) == (0, np.iinfo(image.dtype).max)


def test_every_pixel_of_a_large_plane_is_counted():
    # More equal pixels, and an odd number of them, than a float32 can count.
    image = np.zeros((4097, 4097), np.uint8)
    assert histograms.histogram(image, 256)[0] == image.size
