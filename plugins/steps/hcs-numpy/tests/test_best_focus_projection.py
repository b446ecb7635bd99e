"""Choosing the plane in best focus."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from hcs_numpy import focus
from hcs_numpy.focus import best_focus_projection
from hcs_operations.signatures import FOCUS_MEASURES

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
TOP = {"uint8": 255, "uint16": 65535, "float32": 3.5}
every_dtype = pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
every_measure = pytest.mark.parametrize("measure", FOCUS_MEASURES)


def stack_in_focus_at(best, dtype, depth=7, gains=None, noise=0.004):
    """Return a stack of a scene of cells that is the more blurred the further it is from the plane in focus."""
    random = np.random.default_rng(11)
    y, x = np.mgrid[:90, :101]
    scene = np.full(y.shape, 0.1)
    for _ in range(15):
        at = random.uniform(0, 95, 2)
        scene[(y - at[0]) ** 2 + (x - at[1]) ** 2 < random.uniform(2, 7) ** 2] += 0.3
    planes = [
        ndimage.gaussian_filter(scene, 0.4 + 0.9 * abs(z - best), mode="mirror")
        + random.normal(0, noise, scene.shape)
        for z in range(depth)
    ]
    lit = np.stack(planes) * np.reshape([1.0] * depth if gains is None else gains, (-1, 1, 1))
    return (lit.clip(0, 1) * TOP[dtype]).astype(dtype)


def by_definition(plane, measure):
    """Compute a focus measure in float64 with scipy."""
    pixels = plane.astype(np.float64)
    if measure == "normalized_variance":
        return pixels.var() / pixels.mean() ** 2 if pixels.any() else 0.0
    if measure == "tenengrad":
        return sum((ndimage.sobel(pixels, axis, mode="mirror") ** 2).mean() for axis in (0, 1))
    if measure == "laplacian":
        return (ndimage.laplace(pixels, mode="mirror") ** 2).mean()
    along = (pixels[2:] - pixels[:-2], pixels[:, 2:] - pixels[:, :-2])
    return sum((difference**2).sum() for difference in along) / pixels.size


@every_measure
@every_dtype
@pytest.mark.parametrize("best", [0, 2, 6])
def test_keeps_the_plane_in_focus(measure, dtype, best):
    stack = stack_in_focus_at(best, dtype)
    np.testing.assert_array_equal(best_focus_projection(stack, measure=measure), stack[best])


@every_dtype
@pytest.mark.parametrize("best", [1, 4])
def test_the_normalized_variance_does_not_mind_how_bright_a_plane_is(dtype, best):
    # The plane in focus is the darkest of all, and its neighbours are three times as bright.
    gains = [0.9] * 7
    gains[best] = 0.3
    stack = stack_in_focus_at(best, dtype, gains=gains, noise=0.0)
    np.testing.assert_array_equal(best_focus_projection(stack), stack[best])
    assert by_definition(stack[best], "tenengrad") < by_definition(stack[best + 1], "tenengrad")


@every_measure
@every_dtype
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 9), (9, 1), (3, 3), (300, 431)])
def test_a_measure_is_what_it_says(measure, dtype, shape):
    plane = (np.random.default_rng(5).random(shape) * TOP[dtype]).astype(dtype)
    wanted = by_definition(plane, measure)
    assert focus.MEASURES[measure](plane) == pytest.approx(wanted, rel=1e-5, abs=0)


@quickly
@given(plane=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES), measure=st.sampled_from(FOCUS_MEASURES))
def test_a_measure_is_what_it_says_of_any_plane(plane, measure):
    assert focus.MEASURES[measure](plane) == pytest.approx(by_definition(plane, measure), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("offset", [0, 60000])
def test_the_variance_of_a_bright_plane_keeps_its_digits(offset):
    plane = np.full((40, 50), offset, np.uint16)
    plane[3, 4] += 1
    share = 1 / plane.size
    mean = offset + share
    wanted = share * (1 - share) / mean**2
    assert focus.normalized_variance(plane) == pytest.approx(wanted, rel=1e-9, abs=0)
    assert focus.normalized_variance(plane.astype(np.float32)) == pytest.approx(wanted, rel=1e-5, abs=0)


@every_measure
@every_dtype
def test_of_equal_planes_the_lowest_is_kept(measure, dtype):
    stack = stack_in_focus_at(3, dtype)
    # Two with the same measure that are not the same plane.
    stack[5] = stack[3, ::-1, ::-1]
    if dtype != "float32":  # Sums of floats depend on their order.
        np.testing.assert_array_equal(best_focus_projection(stack, measure=measure), stack[3])
    np.testing.assert_array_equal(best_focus_projection(np.zeros_like(stack), measure=measure), stack[0] * 0)


@every_measure
@every_dtype
def test_one_plane_is_copied(measure, dtype):
    stack = np.arange(12).reshape(1, 3, 4).astype(dtype)
    result = best_focus_projection(stack, measure=measure)
    np.testing.assert_array_equal(result, stack[0])
    assert not np.shares_memory(result, stack)


@every_measure
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_plane_that_is_not_finite_is_not_chosen(measure, value):
    stack = stack_in_focus_at(2, "float32")
    stack[2, 5, 5] = value
    scores = [by_definition(plane, measure) for plane in np.delete(stack, 2, axis=0)]
    wanted = np.delete(stack, 2, axis=0)[np.argmax(scores)]
    np.testing.assert_array_equal(best_focus_projection(stack, measure=measure), wanted)


@every_measure
def test_a_stack_without_a_finite_plane_is_refused(measure):
    stack = np.ones((3, 4, 5), np.float32)
    stack[:, 0, 0] = [np.nan, np.inf, np.nan]
    with pytest.raises(ValueError, match="each of the 3 planes has a pixel that is not finite"):
        best_focus_projection(stack, measure=measure)


def test_an_unknown_measure_is_refused():
    with pytest.raises(ValueError, match="measure='sharpness' is none of normalized_variance, tenengrad"):
        best_focus_projection(np.zeros((1, 2, 2), np.uint8), measure="sharpness")


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 3), (2, 1)])
@pytest.mark.parametrize("measure", FOCUS_MEASURES)
def test_a_tiny_plane_with_nan_is_never_the_one(measure, shape):
    stack = np.ones((2, *shape), np.float32)
    stack[0, shape[0] // 2, shape[1] // 2] = np.nan
    assert np.array_equal(best_focus_projection(stack, measure=measure), stack[1])
