"""Taking away what is larger than a square."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy.morphology import LARGE_RADIUS, white_tophat

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
IMAGES = (
    hnp.arrays("uint8", SHAPES)
    | hnp.arrays("uint16", SHAPES)
    | hnp.arrays("float32", SHAPES, elements=st.integers(-1000, 1000))
)


def extreme(image, radius, pick):
    """Return the least or greatest pixel of the part of the square that lies on the plane, pixel by pixel."""
    result = np.empty_like(image)
    for y, x in np.ndindex(image.shape):
        result[y, x] = pick(image[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1])
    return result


def expected(image, radius):
    return image - extreme(extreme(image, radius, np.min), radius, np.max)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_known_answer(dtype):
    # The spot of 2 x 2 is smaller than the square of 3 x 3; the block of 3 x 3 holds one, and stays in the opening.
    image = np.full((8, 9), 10, dtype)
    image[1:3, 1:3] = 60
    image[4:7, 4:7] = 90
    wanted = np.zeros_like(image)
    wanted[1:3, 1:3] = 50
    np.testing.assert_array_equal(white_tophat(image, radius=1), wanted)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_nothing_lies_beyond_the_border(dtype):
    # Half of a spot lies outside for all that is known: a square at the corner sees 2 x 2 pixels, all bright.
    image = np.zeros((5, 5), dtype)
    image[:2, :2] = 40
    np.testing.assert_array_equal(white_tophat(image, radius=1), np.zeros_like(image))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 5), (19, 26)])
@pytest.mark.parametrize("radius", [1, 2, 7, 50, LARGE_RADIUS + 1])
def test_agrees_with_brute_force(dtype, shape, radius):
    image = (np.random.default_rng(6).random(shape) * (255 if dtype == "uint8" else 65535)).astype(dtype)
    np.testing.assert_array_equal(white_tophat(image, radius=radius), expected(image, radius))


@quickly
@given(image=IMAGES, radius=st.integers(1, 6))
def test_agrees_with_brute_force_on_any_image(image, radius):
    np.testing.assert_array_equal(white_tophat(image, radius=radius), expected(image, radius))


def test_a_large_square_is_the_same_made_of_lines():
    image = np.random.default_rng(8).integers(0, 65536, (LARGE_RADIUS + 60, 9)).astype(np.uint16)
    # Both radii cover the whole plane's width, and reach over all but a few of its rows.
    square, lines = (white_tophat(image, radius=radius) for radius in (LARGE_RADIUS, LARGE_RADIUS + 1))
    for radius, result in ((LARGE_RADIUS, square), (LARGE_RADIUS + 1, lines)):
        row_minimum = extreme(image.min(axis=1, keepdims=True), radius, np.min)
        np.testing.assert_array_equal(result, image - extreme(row_minimum, radius, np.max))


@quickly
@given(image=IMAGES, radius=st.integers(1, 6))
def test_lies_between_nothing_and_what_was_there(image, radius):
    result = white_tophat(image, radius=radius)
    assert (result >= 0).all()
    assert (result <= image.astype(np.float64) - image.min()).all()


@quickly
@given(
    image=hnp.arrays("uint16", SHAPES, elements=st.integers(0, 60000)),
    radius=st.integers(1, 6),
    offset=st.integers(0, 5535),
)
def test_background_that_is_everywhere_the_same_makes_no_difference(image, radius, offset):
    brighter = image + np.uint16(offset)
    np.testing.assert_array_equal(white_tophat(brighter, radius=radius), white_tophat(image, radius=radius))


@quickly
@given(image=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES), radius=st.integers(1, 6))
def test_what_was_taken_away_holds_nothing_small(image, radius):
    opened = image - white_tophat(image, radius=radius)
    assert not white_tophat(opened, radius=radius).any()


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("uint16", 65535), ("float32", -3.5)])
@pytest.mark.parametrize("radius", [1, 30, 400])
def test_a_constant_image_becomes_nothing(dtype, value, radius):
    assert not white_tophat(np.full((31, 17), value, dtype), radius=radius).any()
