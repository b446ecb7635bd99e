"""The plane in best focus in any array library, beside numpy's kernel and measures in float64."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from hcs_numpy import focus as native
from hcs_operations.portable.focus import best_focus_projection, focus_measures, plane_of_best
from hcs_operations.signatures import BEST_FOCUS_PROJECTION, FOCUS_MEASURES

quickly = settings(
    deadline=None, database=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
with_jit = pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch", "jax-jit"], indirect=True)
at_once = pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch"], indirect=True)
by_name = pytest.mark.parametrize("name", ["numpy", "array-api-strict", "torch"])
every_measure = pytest.mark.parametrize("measure", FOCUS_MEASURES)
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}
STACKS = st.sampled_from(["uint8", "uint16", "float32"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=7),
        elements=st.floats(0, 2.0**100, width=32, allow_subnormal=False) if dtype == "float32" else None,
    )
)


def noise(dtype, shape):
    """Return planes of noise that is stronger in some than in others."""
    random = np.random.default_rng(5)
    strength = 0.1 + 0.8 * random.permutation(shape[-3]) / shape[-3]
    planes = 0.5 + (random.random(shape) - 0.5) * strength[:, None, None]
    return (planes * TOP[dtype]).astype(dtype)


def measured(plane, measure):
    """Return a plane's measure in float64, by scipy."""
    pixels = plane.astype(np.float64)
    if measure == "normalized_variance":
        return pixels.var() / pixels.mean() ** 2 if pixels.any() else 0.0
    if measure == "tenengrad":
        return (ndimage.sobel(pixels, 0, mode="mirror") ** 2 + ndimage.sobel(pixels, 1, mode="mirror") ** 2).mean()
    if measure == "laplacian":
        return (ndimage.laplace(pixels, mode="mirror") ** 2).mean()
    return (((pixels[2:] - pixels[:-2]) ** 2).sum() + ((pixels[:, 2:] - pixels[:, :-2]) ** 2).sum()) / pixels.size


def measures(library, image, measure):
    return library.numpy(focus_measures(library.array(image), measure=measure))


@at_once
@every_measure
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(3, 1, 1), (2, 1, 8), (2, 8, 2), (4, 60, 83)])
def test_measures_are_those_of_float64(library, measure, dtype, shape):
    stack = noise(dtype, shape)
    wanted = np.array([measured(plane, measure) for plane in stack])
    if dtype == "float32" and measure != "normalized_variance":
        wanted /= np.square(stack.max(), dtype=np.float64)
    np.testing.assert_allclose(measures(library, stack, measure), wanted, rtol=1e-5, atol=1e-12)


@at_once
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_little_contrast_on_a_bright_plane_is_measured(library, dtype):
    # One pixel of 40,000 that is off by one grey level: the squares of the pixels have no digit for that in float32.
    stack = np.full((2, 200, 200), 60000, dtype)
    stack[1, 3, 4] += 1
    flat, little = measures(library, stack, "normalized_variance")
    assert flat == 0
    assert little == pytest.approx(measured(stack[1], "normalized_variance"), rel=1e-4)


@with_jit
@every_measure
@pytest.mark.parametrize(("dtype", "shape"), [("uint8", (3, 1, 8)), ("uint16", (5, 17, 23))])
def test_the_plane_is_that_of_numpys_kernel(library, measure, dtype, shape):
    image = noise(dtype, shape)
    expected = native.best_focus_projection(image, measure=measure)
    tolerance = BEST_FOCUS_PROJECTION.tolerance
    assert library.excess(best_focus_projection, image, expected, tolerance, measure=measure) <= 0


@by_name
@every_measure
@quickly
@given(stack=STACKS)
def test_of_any_stack_it_is_that_of_numpys_kernel(libraries, name, measure, stack):
    scores = sorted(native.MEASURES[measure](plane) for plane in stack)
    # Where the best two are nearly the same the one or the other may be kept; where they are equal, the first.
    assume(len(scores) == 1 or not 0 < scores[-1] - scores[-2] <= 1e-4 * scores[-1])
    found = libraries(name).call(best_focus_projection, stack, measure=measure)
    np.testing.assert_array_equal(found, native.best_focus_projection(stack, measure=measure))


@at_once
@every_measure
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_of_equal_planes_the_lowest_is_kept(library, measure, dtype):
    plane = noise(dtype, (1, 30, 41))[0]
    # All turned and mirrored: equal measures, added up in another order.
    stack = np.stack([np.full_like(plane, 7), plane[::-1], plane, plane[:, ::-1], plane[::-1, ::-1]])
    np.testing.assert_array_equal(library.call(best_focus_projection, stack, measure=measure), plane[::-1])


@pytest.mark.parametrize(
    ("name", "measure"),
    [("numpy", "normalized_variance"), ("torch", "brenner"), ("torch", "normalized_variance"), ("jax", "brenner")],
)
def test_planes_that_are_not_finite_are_passed_over(libraries, name, measure):
    library, stack = libraries(name), noise("float32", (4, 9, 11))
    best = int(np.argmax([measured(plane, measure) for plane in stack]))
    stack[best, 2, 3] = np.nan
    stack[(best + 1) % 4, 0, 0] = np.inf
    expected = native.best_focus_projection(stack, measure=measure)
    np.testing.assert_array_equal(library.call(best_focus_projection, stack, measure=measure), expected)
    stack[:, 5, 5] = -np.inf
    with pytest.raises(ValueError, match="each of the 4 planes has a pixel that is not finite"):
        library.call(best_focus_projection, stack, measure=measure)


@at_once
@every_measure
def test_each_of_several_stacks_has_its_own_plane(library, measure):
    for dtype in ("uint16", "float32"):
        stacks = np.stack([noise(dtype, (4, 9, 11)), noise(dtype, (4, 9, 11))[::-1]])[None]
        found = library.call(best_focus_projection, stacks, measure=measure)
        for index in np.ndindex(1, 2):
            expected = native.best_focus_projection(stacks[index], measure=measure)
            np.testing.assert_array_equal(found[index], expected)


def test_floats_are_measured_under_jit(libraries):
    library, stack = libraries("jax-jit"), noise("float32", (3, 9, 11))
    traced = library.traced(lambda planes: plane_of_best(planes, focus_measures(planes, measure="tenengrad")))
    expected = native.best_focus_projection(stack, measure="tenengrad")
    np.testing.assert_array_equal(library.numpy(traced(library.array(stack))), expected)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_what_is_no_measure_is_refused(libraries, name):
    with pytest.raises(ValueError, match="measure='sharpness' is none of normalized_variance, tenengrad"):
        best_focus_projection(libraries(name).array(np.zeros((2, 3, 3), np.uint8)), measure="sharpness")
