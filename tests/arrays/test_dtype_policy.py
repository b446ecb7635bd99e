"""The one dtype policy, against Python's own arithmetic of fractions."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_core import to_dtype

INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
FLOATS = ("float16", "float32", "float64")


def expected(value, dtype):
    """What a number becomes in an integer: exact, rounded half to even, clipped; NaN is 0."""
    lowest = -(2 ** (8 * np.dtype(dtype).itemsize - 1)) if dtype.startswith("int") else 0
    highest = lowest + 2 ** (8 * np.dtype(dtype).itemsize) - 1
    number = value.item()
    if isinstance(number, float) and math.isnan(number):
        return 0
    if isinstance(number, float) and math.isinf(number):
        return highest if number > 0 else lowest
    return min(max(round(Fraction(number)), lowest), highest)


@settings(max_examples=400)
@given(st.data())
def test_an_integer_is_rounded_and_clipped(data):
    source, dtype = data.draw(st.sampled_from([*INTEGERS, *FLOATS, "bool"])), data.draw(st.sampled_from(INTEGERS))
    array = data.draw(hnp.arrays(source, hnp.array_shapes(max_dims=2, max_side=4)))
    before = array.copy()
    result = to_dtype(array, dtype)
    assert result.dtype == dtype
    assert result.shape == array.shape
    assert [int(value) for value in result.flat] == [expected(value, dtype) for value in array.flat]
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("source", FLOATS)
def test_the_ends_of_the_range(source, dtype):
    limits = np.iinfo(dtype)
    ends = [float(limits.min), float(limits.max), float(limits.max) / 2, 65504.0, math.inf, -math.inf, math.nan, -0.5]
    with np.errstate(over="ignore"):
        array = np.array(ends, np.float64).astype(source)
    around = np.concatenate([array, np.nextafter(array, array.dtype.type(0)), np.nextafter(array, -array)])
    result = to_dtype(around, dtype)
    assert [int(value) for value in result] == [expected(value, dtype) for value in around]


@pytest.mark.parametrize(
    ("value", "dtype", "whole"),
    [
        (0.5, "uint8", 0), (1.5, "uint8", 2), (2.5, "uint16", 2), (-3.7, "uint8", 0), (255.5, "uint8", 255),
        (-0.5, "int8", 0), (-128.6, "int8", -128), (np.nan, "uint16", 0), (np.inf, "uint16", 65535),
        (1e30, "int64", 2**63 - 1),
    ],
)  # fmt: skip
def test_by_hand(value, dtype, whole):
    assert to_dtype(np.array([value]), dtype).tolist() == [whole]


@pytest.mark.parametrize(
    ("value", "source", "dtype", "whole"),
    [
        (2**40, "int64", "uint8", 255), (-(2**40), "int64", "uint8", 0), (2**64 - 1, "uint64", "int64", 2**63 - 1),
        (-1, "int64", "uint64", 0), (200, "uint8", "int8", 127), (True, "bool", "uint16", 1),
        (200, "uint8", "uint16", 200),
    ],
)  # fmt: skip
def test_integers_by_hand(value, source, dtype, whole):
    assert to_dtype(np.array([value], source), dtype).tolist() == [whole]


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool"])
def test_the_array_itself_where_it_has_the_dtype(dtype):
    array = np.zeros((2, 3), dtype)
    assert to_dtype(array, dtype) is array


def test_floats_are_cast_without_a_rescaling():
    assert to_dtype(np.array([0, 65535], np.uint16), "float32").tolist() == [0.0, 65535.0]
    assert to_dtype(np.array([0.1]), "float32").tolist() == [float(np.float32(0.1))]
    assert to_dtype(np.array([1e30]), "float16").tolist() == [math.inf]
    assert math.isnan(to_dtype(np.array([np.nan]), "float32")[0])


def test_another_byte_order_is_turned():
    result = to_dtype(np.array([1, 258], ">u2"), "uint16")
    assert (result.dtype.isnative, result.tolist()) == (True, [1, 258])


def test_no_warning_is_given():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_dtype(np.array([np.nan, np.inf, -np.inf, 1e300]), "uint16")


def test_an_empty_array():
    assert to_dtype(np.zeros((0, 4)), "uint8").shape == (0, 4)
