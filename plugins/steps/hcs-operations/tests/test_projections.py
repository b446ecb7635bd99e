"""Projections in any array library, beside numpy's kernels and numpy itself."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy import projections as native
from hcs_operations import signatures
from hcs_operations.portable import projections as portable

quickly = settings(
    deadline=None, database=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
with_jit = pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch", "jax-jit"], indirect=True)
by_name = pytest.mark.parametrize("name", ["numpy", "array-api-strict", "torch"])
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}
TOLERANCES = {
    "max_projection": signatures.MAX_PROJECTION.tolerance,
    "mean_projection": signatures.MEAN_PROJECTION.tolerance,
    "median_projection": signatures.MEDIAN_PROJECTION.tolerance,
}
every_projection = pytest.mark.parametrize("projection", TOLERANCES)
STACKS = st.sampled_from(["uint8", "uint16", "float32"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=9),
        elements=st.floats(-(2.0**120), 2.0**120, width=32, allow_subnormal=False) if dtype == "float32" else None,
    )
)


def noise(dtype, shape):
    return (np.random.default_rng(5).random(shape) * TOP[dtype]).astype(dtype)


def plainly(projection, image):
    """hcs-numpy's own kernel; the maximum, which has none of its own there, is numpy's."""
    return image.max(axis=0) if projection == "max_projection" else getattr(native, projection)(image)


def excess(library, projection, image):
    expected = plainly(projection, image)
    return library.excess(getattr(portable, projection), image, expected, TOLERANCES[projection])


@with_jit
@every_projection
@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("uint8", (1, 1, 1)),
        ("uint8", (4, 1, 8)),
        ("uint16", (7, 8, 1)),
        ("uint16", (10, 17, 23)),
        ("float32", (6, 17, 23)),
    ],
)
def test_it_agrees_with_numpys_kernel(library, projection, dtype, shape):
    assert excess(library, projection, noise(dtype, shape)) <= 0


@by_name
@every_projection
@quickly
@given(image=STACKS)
def test_any_stack_agrees(libraries, name, projection, image):
    assert excess(libraries(name), projection, image) <= 0


@by_name
@quickly
@given(image=STACKS.filter(lambda stack: stack.dtype.kind == "u"))
def test_the_mean_of_integers_is_exact(libraries, name, image):
    found = libraries(name).call(portable.mean_projection, image)
    np.testing.assert_array_equal(found, np.rint(image.astype(np.float64).mean(axis=0)))


@with_jit
@pytest.mark.parametrize("count", [2, 3, 4])
def test_halves_are_rounded_to_the_even_number(library, count):
    # The middle two and all of these are half-way between two numbers, and at the upper end.
    stack = np.array([[[0, 1, 2, 65534, 65535]], [[1, 2, 3, 65535, 65534]]], np.uint16)
    stack = np.concatenate([stack] * (count // 2) + [stack[:1]] * (count % 2))
    mean, median = stack.astype(np.float64).mean(axis=0), np.median(stack.astype(np.float64), axis=0)
    np.testing.assert_array_equal(library.call(portable.mean_projection, stack), np.rint(mean))
    np.testing.assert_array_equal(library.call(portable.median_projection, stack), np.rint(median))


@by_name
@every_projection
def test_each_of_several_stacks_is_projected_alone(libraries, name, projection):
    stacks = noise("uint16", (2, 3, 4, 5, 6))
    found = libraries(name).call(getattr(portable, projection), stacks)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[index], plainly(projection, stacks[index]))


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
@every_projection
def test_what_is_not_finite_is_as_in_numpys_kernel(libraries, name, projection):
    marks = np.array([np.nan, np.inf, -np.inf], np.float32)
    stack = noise("float32", (4, 3, 4))
    stack[1, :, 0] = marks
    stack[(1, 2), :, 1] = marks
    stack[:, 0, 2] = np.inf
    stack[2, 1, 2] = -np.inf
    with np.errstate(invalid="ignore"):
        assert excess(libraries(name), projection, stack) <= 0


@by_name
@every_projection
def test_the_result_of_one_plane_is_an_array_of_its_own(libraries, name, projection):
    library = libraries(name)
    image = library.array(np.arange(6, dtype=np.float32).reshape(1, 2, 3))
    result = getattr(portable, projection)(image)
    image[...] = 0
    assert library.numpy(result).ravel().tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_more_planes_than_int32_can_add(libraries, name):
    stack = np.broadcast_to(np.uint16(65535), (32770, 1, 2))
    assert (libraries(name).call(portable.mean_projection, stack) == 65535).all()
