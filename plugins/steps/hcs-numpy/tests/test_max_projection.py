"""Keeping the brightest value along z."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_operations.portable.projections import max_projection

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=8)
STACKS = (
    hnp.arrays("uint8", SHAPES)
    | hnp.arrays("uint16", SHAPES)
    | hnp.arrays("float32", SHAPES, elements=st.floats(-(2.0**100), 2.0**100, width=32))
)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer(dtype):
    stack = np.array([[[1, 9, 3]], [[4, 2, 3]], [[0, 5, 255]]], dtype)
    np.testing.assert_array_equal(max_projection(stack), np.array([[4, 9, 255]], dtype))


@quickly
@given(stack=STACKS)
def test_is_the_largest_of_each_pixel(stack):
    result = max_projection(stack)
    for y, x in np.ndindex(result.shape):
        assert result[y, x] == max(stack[:, y, x].tolist())


@quickly
@given(stack=STACKS)
def test_the_order_of_the_planes_makes_no_difference(stack):
    np.testing.assert_array_equal(max_projection(stack[::-1]), max_projection(stack))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_one_plane_is_copied(dtype):
    stack = np.arange(12).reshape(1, 3, 4).astype(dtype)
    result = max_projection(stack)
    np.testing.assert_array_equal(result, stack[0])
    assert not np.shares_memory(result, stack)


def test_nan_in_one_plane_is_nan():
    stack = np.array([[[1.0, np.nan]], [[2.0, 7.0]]], np.float32)
    np.testing.assert_array_equal(max_projection(stack), np.float32([[2.0, np.nan]]))


def test_all_constant_stays_constant():
    assert (max_projection(np.full((4, 3, 5), 77, np.uint8)) == 77).all()
