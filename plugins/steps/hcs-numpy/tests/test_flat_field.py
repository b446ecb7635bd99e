"""Dividing a plane by its illumination."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy.illumination import flat_field

quickly = settings(deadline=None, database=None, max_examples=60)
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)


def exact(image, profile, dark):
    """Compute in float64."""
    light = profile.astype(np.float64)
    return (image.astype(np.float64) - dark) / (light / light.mean())


def agrees(result, wanted):
    if result.dtype == np.float32:
        np.testing.assert_allclose(result, wanted, rtol=1e-6, atol=1e-6 * max(1.0, np.abs(wanted).max()))
        return
    # A number half-way may fall to the other side, and nothing else.
    assert np.abs(result - wanted.clip(0, np.iinfo(result.dtype).max)).max() < 0.52


def vignette(shape):
    """Return the illumination of a lens: brightest in the middle, 40 percent of that in the corners."""
    across = [1 - 0.37 * np.linspace(-1, 1, length) ** 2 for length in shape]
    return np.outer(*across)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer(dtype):
    # The mean of the profile is 2: it becomes 0.5, 1, 1.5.
    image = np.array([[50, 60, 90]], dtype)
    profile = np.array([[1, 2, 3]], np.uint16)
    np.testing.assert_array_equal(flat_field(image, profile=profile), np.array([[100, 60, 60]], dtype))
    np.testing.assert_array_equal(flat_field(image, profile=profile, dark=30), np.array([[40, 30, 40]], dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_half_way_goes_to_even_and_ends_are_clipped(dtype):
    image = np.array([[1, 3, TOP[dtype], 0]], dtype)
    profile = np.array([[2, 2, 0.5, 0.5]])  # Its mean is 1.25.
    result = flat_field(image, profile=profile * [[1, 1, 1, 3]], dark=0.2)  # And now 1.5.
    np.testing.assert_array_equal(result, [[1, 2, TOP[dtype], 0]])
    ones = np.ones((1, 4))
    np.testing.assert_array_equal(flat_field(image, profile=ones, dark=0.5), [[0, 2, TOP[dtype] - 1, 0]])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("dark", [0.0, 7.25])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (4, 1), (33, 41), (301, 500)])
@pytest.mark.parametrize("profile_dtype", ["uint16", "float32", "float64"])
def test_agrees_with_the_formula_in_float64(dtype, dark, shape, profile_dtype):
    image = (np.random.default_rng(4).random(shape) * TOP[dtype]).astype(dtype)
    profile = (vignette(shape) * 900).astype(profile_dtype)
    agrees(flat_field(image, profile=profile, dark=dark), exact(image, profile, dark))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_lit_plane_becomes_even(dtype):
    shape = (80, 90)
    image = (20 + 100 * vignette(shape)).astype(dtype)
    result = flat_field(image, profile=vignette(shape), dark=20)
    level = 100 * vignette(shape).mean()
    assert np.abs(result - level).max() <= (1e-3 if dtype == "float32" else 2)


def test_only_the_shape_of_the_profile_counts_and_not_its_unit():
    image = np.random.default_rng(0).integers(0, 60000, (20, 30)).astype(np.uint16)
    profile = vignette((20, 30))
    np.testing.assert_array_equal(
        flat_field(image, profile=profile), flat_field(image, profile=(profile * 4096).astype(np.float32))
    )


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("uint16", 65535), ("float32", 0.1)])
def test_an_even_profile_leaves_the_plane(dtype, value):
    image = np.full((9, 5), value, dtype)
    np.testing.assert_allclose(flat_field(image, profile=np.full((9, 5), 3.7)), image, rtol=1e-6)


@pytest.mark.parametrize("dark", [0, 1])
def test_a_pixel_with_almost_no_light_is_clipped_and_does_not_wrap(dark):
    # The quotients are beyond what 32 bits hold.
    image = np.array([[65535, 2, 0, 9]], np.uint16)
    profile = np.array([[1e-9, 1e-9, 1e-9, 1.0]], np.float32)
    np.testing.assert_array_equal(flat_field(image, profile=profile, dark=dark)[0, :3], [65535, 65535, 0])


def test_floats_below_the_dark_level_stay_negative_and_what_is_not_finite_stays_in_its_pixel():
    image = np.array([[1, np.nan, np.inf, -np.inf]], np.float32)
    result = flat_field(image, profile=np.ones((1, 4)), dark=3)
    np.testing.assert_array_equal(result, np.float32([[-2, np.nan, np.inf, -np.inf]]))


@quickly
@given(data=st.data(), shape=SHAPES, dark=st.floats(-100, 300))
def test_agrees_on_any_plane(data, shape, dark):
    image = data.draw(hnp.arrays("uint8", shape) | hnp.arrays("uint16", shape))
    profile = data.draw(hnp.arrays("float32", shape, elements=st.floats(0.125, 1000, width=32)))
    agrees(flat_field(image, profile=profile, dark=dark), exact(image, profile, dark))


def test_neither_the_plane_nor_the_profile_is_changed():
    image, profile = np.full((4, 5), 9, np.uint16), vignette((4, 5)).astype(np.float32)
    before = profile.copy()
    profile.flags.writeable = image.flags.writeable = False
    flat_field(image, profile=profile, dark=2)
    np.testing.assert_array_equal(profile, before)


def test_a_view_of_a_profile_gives_what_its_copy_gives():
    image = np.random.default_rng(0).integers(0, 60000, (20, 31)).astype(np.uint16)
    profile = vignette((31, 40)).astype(np.float32).T[::-2]
    np.testing.assert_array_equal(flat_field(image, profile=profile), flat_field(image, profile=profile.copy()))


def test_a_profile_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"profile has the shape \(3, 4\), but the image has \(4, 3\)"):
        flat_field(np.ones((4, 3), np.uint8), profile=np.ones((3, 4)))


@pytest.mark.parametrize("value", [0.0, -1.0, -0.0, np.nan, np.inf, -np.inf, 1e300, 1e-300])
@pytest.mark.parametrize("place", [(0, 0), (2, 3), (399, 599)])
def test_a_profile_that_is_not_above_0_is_refused(value, place):
    profile = np.ones((400, 600))
    profile[place] = value
    with pytest.raises(ValueError, match=rf"1 of 240000 values .* at y={place[0]}, x={place[1]}: give"):
        flat_field(np.ones((400, 600), np.uint16), profile=profile)
