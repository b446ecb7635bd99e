"""Top-hats in any array library, beside numpy's kernel and the plainest computation."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy import morphology as native
from hcs_operations.portable.morphology import white_tophat
from hcs_operations.signatures import WHITE_TOPHAT

quickly = settings(
    deadline=None, database=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
with_jit = pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch", "jax-jit"], indirect=True)
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}
PLANES = st.sampled_from(["uint8", "uint16", "float32"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(-(2.0**100), 2.0**100, width=32) if dtype == "float32" else None,
    )
)


def noise(dtype, shape):
    return (np.random.default_rng(5).random(shape) * TOP[dtype]).astype(dtype)


def opened(image, radius):
    """Return each pixel's largest of the smallest values of squares, by looking at every square."""
    for pick, outside in ((np.min, np.inf), (np.max, -np.inf)):
        padded = np.pad(image.astype(np.float64), radius, constant_values=outside)
        sides = (2 * radius + 1, 2 * radius + 1)
        image = pick(np.lib.stride_tricks.sliding_window_view(padded, sides), axis=(-2, -1))
    return image


def agrees(library, image, radius):
    expected = native.white_tophat(image, radius=radius)
    return library.excess(white_tophat, image, expected, WHITE_TOPHAT.tolerance, radius=radius)


@with_jit
@pytest.mark.parametrize(
    ("dtype", "shape", "radius"),
    [
        ("uint8", (1, 1), 1),
        ("uint16", (1, 8), 2),
        ("float32", (8, 1), 3),
        ("uint16", (17, 23), 3),
        ("float32", (17, 23), 4),
        ("uint8", (17, 23), 50),
        ("uint16", (2, 3, 20, 33), 7),
    ],
)
def test_it_agrees_with_numpys_kernel(library, dtype, shape, radius):
    images = noise(dtype, shape)
    each = [native.white_tophat(image, radius=radius) for image in images.reshape(-1, *shape[-2:])]
    expected = np.reshape(each, shape)
    assert library.excess(white_tophat, images, expected, WHITE_TOPHAT.tolerance, radius=radius) <= 0


@pytest.mark.parametrize("name", ["numpy", "array-api-strict", "torch"])
@pytest.mark.parametrize("radius", [1, 2, 3, 4, 5, 9, 16])
def test_it_is_the_plane_less_its_opening(libraries, name, radius):
    image, library = noise("uint16", (19, 25)), libraries(name)
    np.testing.assert_array_equal(library.call(white_tophat, image, radius=radius), image - opened(image, radius))


@pytest.mark.parametrize("name", ["numpy", "array-api-strict", "torch"])
@quickly
@given(image=PLANES, radius=st.integers(1, 15))
def test_any_plane_agrees(libraries, name, image, radius):
    assert agrees(libraries(name), image, radius) <= 0


@pytest.mark.parametrize("name", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_nothing_is_left_of_an_even_plane(libraries, name, dtype):
    for value in (0, TOP[dtype]):
        assert not libraries(name).call(white_tophat, np.full((9, 11), value, dtype), radius=3).any()
