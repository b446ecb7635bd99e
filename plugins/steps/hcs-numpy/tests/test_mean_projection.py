"""The mean along z."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy.projections import mean_projection

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 6))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer(dtype):
    stack = np.array([[[1, 0]], [[2, 100]], [[6, 200]]], dtype)
    np.testing.assert_array_equal(mean_projection(stack), np.array([[3, 100]], dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_half_way_goes_to_even(dtype):
    stack = np.array([[[1, 2, 4]], [[2, 3, 5]]], dtype)
    np.testing.assert_array_equal(mean_projection(stack), np.array([[2, 2, 4]], dtype))


@quickly
@given(stack=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES))
def test_is_the_exact_mean_rounded(stack):
    wanted = np.empty(stack.shape[1:], np.int64)
    for y, x in np.ndindex(wanted.shape):
        wanted[y, x] = round(Fraction(sum(stack[:, y, x].tolist()), len(stack)))
    np.testing.assert_array_equal(mean_projection(stack), wanted)


@pytest.mark.parametrize("depth", [128, 129, 400])
def test_many_bright_planes_are_added_exactly(depth):
    # Beyond 128 planes the sum is more than float32 can round rightly.
    stack = np.random.default_rng(3).integers(65000, 65536, (depth, 7, 9)).astype(np.uint16)
    wanted = [[round(Fraction(int(total), depth)) for total in row] for row in stack.sum(axis=0, dtype=np.int64)]
    np.testing.assert_array_equal(mean_projection(stack), wanted)


def test_floats_agree_with_numpy_in_float64():
    stack = (np.random.default_rng(1).normal(0, 1e4, (11, 40, 33)) + 1e6).astype(np.float32)
    np.testing.assert_array_equal(mean_projection(stack), stack.astype(np.float64).mean(axis=0).astype(np.float32))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_one_plane_is_copied(dtype):
    stack = np.arange(12).reshape(1, 3, 4).astype(dtype)
    result = mean_projection(stack)
    np.testing.assert_array_equal(result, stack[0])
    assert not np.shares_memory(result, stack)


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("uint16", 65535), ("float32", 0.1)])
def test_all_constant_stays_constant(dtype, value):
    assert (mean_projection(np.full((7, 3, 5), value, dtype)) == np.dtype(dtype).type(value)).all()


def test_what_is_not_finite_in_one_plane_stays_so():
    stack = np.array([[[1, np.nan, np.inf, np.inf]], [[2, 7, 1, -np.inf]]], np.float32)
    np.testing.assert_array_equal(mean_projection(stack), np.float32([[1.5, np.nan, np.inf, np.nan]]))
