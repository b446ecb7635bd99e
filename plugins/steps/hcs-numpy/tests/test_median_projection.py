"""The median along z."""

import itertools
import statistics

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy import projections
from hcs_numpy.projections import median_projection
from hcs_operations.selection import middle_network

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = st.tuples(st.integers(1, 14), st.integers(1, 5), st.integers(1, 5))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer_of_an_odd_number(dtype):
    stack = np.array([[[9, 0]], [[1, 200]], [[4, 100]]], dtype)
    np.testing.assert_array_equal(median_projection(stack), np.array([[4, 100]], dtype))


@pytest.mark.parametrize(
    ("dtype", "answer"), [("uint8", [2, 2, 254]), ("uint16", [2, 2, 254]), ("float32", [1.5, 2.5, 254.5])]
)
def test_known_answer_of_an_even_number(dtype, answer):
    # The two in the middle are 1 and 2, 2 and 3, 254 and 255: half-way goes to even.
    stack = np.array([[[2, 0, 254]], [[0, 3, 0]], [[1, 2, 255]], [[90, 90, 255]]], dtype)
    np.testing.assert_array_equal(median_projection(stack), np.array([answer], dtype))


@quickly
@given(stack=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES))
def test_is_the_median_of_each_pixel(stack):
    result = median_projection(stack)
    for y, x in np.ndindex(result.shape):
        assert result[y, x] == round(statistics.median(stack[:, y, x].tolist()))


@quickly
@given(stack=hnp.arrays("float32", SHAPES, elements=st.floats(width=32, allow_subnormal=False)))
def test_is_that_of_numpy_for_any_float(stack):
    with np.errstate(invalid="ignore"):
        wanted = np.median(stack.astype(np.float64), axis=0).astype(np.float32)
    np.testing.assert_array_equal(median_projection(stack), wanted)


@pytest.mark.parametrize("depth", range(1, 14))
def test_the_network_finds_the_middle_of_every_row_of_zeros_and_ones(depth):
    # A network of comparisons that selects rightly from zeros and ones selects rightly from anything (Knuth, section
    # 5.3.4, theorem Z).
    stack = np.array(list(itertools.product([0, 2], repeat=depth)), np.uint8).T[:, np.newaxis]
    ones = stack[:, 0].sum(axis=0) // 2
    wanted = np.where(2 * ones > depth, 2, np.where(2 * ones == depth, 1, 0))
    np.testing.assert_array_equal(median_projection(stack)[0], wanted)


@pytest.mark.parametrize("depth", range(2, 40))
def test_every_plane_has_a_way_to_the_middle(depth):
    # So that a NaN of any plane gets there.
    for start in range(depth):
        reached = {start}
        for lower, upper, _, _ in middle_network(depth):
            if lower in reached or upper in reached:
                reached |= {lower, upper}
        assert {(depth - 1) // 2, depth // 2} <= reached


@pytest.mark.parametrize("depth", [2, 3, 8, 13])
@pytest.mark.parametrize("lost", [0, -1])
def test_nan_in_one_plane_is_nan(depth, lost):
    stack = np.arange(depth * 6, dtype=np.float32).reshape(depth, 2, 3)
    stack[lost, 1, 2] = np.nan
    result = median_projection(stack)
    assert np.isnan(result[1, 2])
    assert np.isnan(result).sum() == 1


@pytest.mark.parametrize("depth", [5, 6, 31, 64])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_agrees_with_numpy_over_several_strips(depth, dtype, monkeypatch):
    monkeypatch.setattr(projections, "SORTED_BYTES", 4000)
    stack = (np.random.default_rng(2).random((depth, 23, 31)) * 255).astype(dtype)
    wanted = np.median(stack, axis=0)
    np.testing.assert_array_equal(median_projection(stack), wanted if dtype == "float32" else np.rint(wanted))


def test_the_mean_of_two_very_large_floats_is_finite():
    top = np.finfo(np.float32).max
    stack = np.array([[[top, -top]], [[top, -top]]], np.float32)
    np.testing.assert_array_equal(median_projection(stack), stack[0])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_one_plane_is_copied(dtype):
    stack = np.arange(12).reshape(1, 3, 4).astype(dtype)
    result = median_projection(stack)
    np.testing.assert_array_equal(result, stack[0])
    assert not np.shares_memory(result, stack)


def test_all_constant_stays_constant():
    assert (median_projection(np.full((6, 3, 5), 77, np.uint8)) == 77).all()
