"""Percentiles of many planes together."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy.intensity import percentile_normalize
from hcs_operations.limits import added, counts, levels

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
PLANES = st.sampled_from(["uint8", "uint16"]).flatmap(
    lambda dtype: st.lists(hnp.arrays(dtype, SHAPES), min_size=1, max_size=4)
)


def together(planes, low, high):
    """Return the levels of planes, counted one by one and put together."""
    asked = {"low": low, "high": high, "limits": "plate"}
    found = counts(planes[0], **asked)
    for plane in planes[1:]:
        found = added(counts(plane, **asked), found)
    return levels((found,), (1, 1), **asked).value


def pixels(planes):
    return np.concatenate([plane.ravel() for plane in planes])


@quickly
@given(planes=PLANES, low=st.floats(0, 49), high=st.floats(51, 100))
def test_they_are_numpys_over_all_pixels(planes, low, high):
    wanted = np.percentile(pixels(planes).astype(np.float64), [low, high])
    np.testing.assert_array_equal(together(planes, low, high), wanted)


@quickly
@given(
    planes=st.lists(
        hnp.arrays("float32", SHAPES, elements=st.floats(-(2.0**60), 2.0**60, width=32, allow_subnormal=False)),
        min_size=1,
        max_size=4,
    ),
    percent=st.floats(0, 99),
)
def test_of_floats_they_are_within_a_bin_of_the_pixels_around(planes, percent):
    found, _ = together(planes, percent, 100)
    near = [np.percentile(pixels(planes), percent, method=method) for method in ("lower", "higher")]
    room = max(abs(value) for value in near) / 128 + 1e-37
    assert min(near) - room <= found <= max(near) + room


def test_of_many_floats_they_are_much_nearer():
    plane = np.random.default_rng(1).normal(1000, 200, (300, 300)).astype(np.float32)
    np.testing.assert_allclose(together([plane], 1, 99), np.percentile(plane, [1, 99]), rtol=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_does_not_count(value):
    plane = np.array([[1, 2, 4]], np.float32)
    assert together([plane, np.full((2, 2), value, np.float32)], 0, 100) == together([plane], 0, 100)


def test_without_a_finite_pixel_a_plane_stays_as_it_is():
    plane = np.full((2, 3), np.nan, np.float32)
    found = together([plane], 1, 99)
    np.testing.assert_array_equal(percentile_normalize(plane, limits="well", levels=found), plane)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_given_levels_are_stretched_over_the_range(dtype):
    top = 1.0 if dtype == "float32" else np.iinfo(dtype).max
    result = percentile_normalize(np.array([[5, 10, 30, 50, 60]], dtype), levels=(10.0, 50.0))
    wanted = np.array([[0, 0, top / 2, top, top]])
    np.testing.assert_allclose(result, wanted if dtype == "float32" else np.rint(wanted), atol=1e-6)


@pytest.mark.parametrize("wrong", [(1.0,), (3.0, 2.0), (1.0, 2.0, 3.0), ()])
def test_levels_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="must be two numbers, the smaller first"):
        percentile_normalize(np.zeros((2, 2), np.uint8), levels=wrong)


def test_a_plane_alone_does_not_know_the_plate():
    with pytest.raises(ValueError, match="limits='plate' needs levels"):
        percentile_normalize(np.zeros((2, 2), np.uint8), limits="plate")


def test_low_must_be_below_high():
    plane = np.zeros((2, 2), np.uint8)
    asked = {"low": 60.0, "high": 50.0, "limits": "plate"}
    with pytest.raises(ValueError, match="must be below"):
        levels((counts(plane, **asked),), (2, 2), **asked)
