"""Joining channels into one."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy.channels import composite

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
INTEGERS = hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES)


def exact(image, weights):
    """Return the weighted means as fractions, pixel by pixel."""
    counted = [Fraction(weight) for weight in weights]
    means = np.empty(image.shape[1:], object)
    for y, x in np.ndindex(means.shape):
        means[y, x] = sum(w * Fraction(v) for w, v in zip(counted, image[:, y, x].tolist(), strict=True)) / sum(
            counted
        )
    return means


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer_with_equal_weights(dtype):
    image = np.array([[[10, 0]], [[20, 100]], [[60, 200]]], dtype)
    np.testing.assert_array_equal(composite(image), np.array([[30, 100]], dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer_with_weights(dtype):
    image = np.array([[[100, 4]], [[20, 8]]], dtype)
    np.testing.assert_array_equal(composite(image, weights=(0.75, 0.25)), np.array([[80, 5]], dtype))
    np.testing.assert_array_equal(composite(image, weights=(6, 2)), np.array([[80, 5]], dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_half_way_goes_to_even(dtype):
    image = np.array([[[1, 2, 4]], [[2, 3, 5]]], dtype)
    np.testing.assert_array_equal(composite(image), np.array([[2, 2, 4]], dtype))


@quickly
@given(image=INTEGERS, data=st.data())
def test_whole_weights_round_exactly(image, data):
    # Some sums of these weights are above what float32 holds exactly, and some are not.
    number = st.integers(0, 9) | st.integers(0, 40000)
    weights = data.draw(st.tuples(*[number] * len(image)).filter(any))
    wanted = [[round(mean) for mean in row] for row in exact(image, weights)]
    np.testing.assert_array_equal(composite(image, weights=weights), wanted)


@quickly
@given(image=INTEGERS)
def test_equal_weights_round_exactly(image):
    wanted = [[round(mean) for mean in row] for row in exact(image, [1] * len(image))]
    np.testing.assert_array_equal(composite(image), wanted)


@quickly
@given(image=INTEGERS, data=st.data())
def test_any_weights_give_the_nearest_grey_level(image, data):
    weights = data.draw(st.tuples(*[st.floats(0, 1e6)] * len(image)).filter(lambda drawn: sum(drawn) > 1e-300))
    result = composite(image, weights=weights)
    off = [
        abs(Fraction(int(level)) - mean) for level, mean in zip(result.flat, exact(image, weights).flat, strict=True)
    ]
    assert max(off) <= Fraction(1, 2) + Fraction(1, 10**9)


def test_many_bright_channels_round_exactly():
    # A sum past 2**23: float32 would not do.
    image = np.full((300, 2, 3), 65535, np.uint16)
    image[:150] = 65534
    np.testing.assert_array_equal(composite(image), np.full((2, 3), 65534, np.uint16))


def test_floats_agree_with_numpy():
    image = np.random.default_rng(9).normal(50, 1e4, (4, 37, 2111)).astype(np.float32)
    weights = (0.1, 2, 0, 0.7)
    wanted = np.average(image.astype(np.float64), axis=0, weights=weights)
    np.testing.assert_allclose(composite(image, weights=weights), wanted, rtol=1e-6, atol=1e-6)


def test_a_channel_of_weight_0_leaves_no_trace():
    image = np.array([[[1.0, 2.0]], [[np.nan, np.inf]]], np.float32)
    np.testing.assert_array_equal(composite(image, weights=(1, 0)), image[0])


def test_nan_in_a_channel_that_counts_is_nan():
    image = np.array([[[1.0, 2.0]], [[np.nan, 4.0]]], np.float32)
    np.testing.assert_array_equal(composite(image), np.float32([[np.nan, 3.0]]))


@quickly
@given(image=INTEGERS, repeat=st.integers(1, 7))
def test_the_same_channel_again_and_again_is_itself(image, repeat):
    same = np.repeat(image[:1], repeat, axis=0)
    np.testing.assert_array_equal(composite(same), image[0])


@quickly
@given(image=INTEGERS, data=st.data())
def test_one_weight_takes_one_channel(image, data):
    chosen = data.draw(st.integers(0, len(image) - 1))
    weights = tuple(float(channel == chosen) * 0.3 for channel in range(len(image)))
    np.testing.assert_array_equal(composite(image, weights=weights), image[chosen])


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ((1, 1), "has 2 numbers, but the image has 3 channels"),
        ((1, 1, 1, 1), "has 4 numbers, but the image has 3 channels"),
        ((0, 0, 0), "not all of them 0"),
        ((1, -1, 1), "of at least 0"),
        ((1, float("nan"), 1), "finite numbers"),
        ((1, float("inf"), 1), "finite numbers"),
    ],
)
def test_weights_that_make_no_mean_are_refused(weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        composite(np.zeros((3, 2, 2), np.uint8), weights=weights)
