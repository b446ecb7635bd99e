"""Blurring and sharpening in any array library, beside the kernels of numpy and a computation in float64."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy import filters as native
from hcs_operations.portable.filters import gaussian_blur, unsharp_mask
from hcs_operations.signatures import GAUSSIAN_BLUR, UNSHARP_MASK

quickly = settings(
    deadline=None, database=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}
with_jit = pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch", "jax-jit"], indirect=True)
at_once = pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch"], indirect=True)
by_name = pytest.mark.parametrize("name", ["numpy", "array-api-strict", "torch"])
PLANES = st.sampled_from(["uint8", "uint16", "float32"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(0, 2.0**100, width=32) if dtype == "float32" else None,
    )
)


def noise(dtype, shape):
    return (np.random.default_rng(5).random(shape) * TOP[dtype]).astype(dtype)


def blurred(image, sigma):
    """Return planes blurred in float64, from numpy's own mirrors."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    beside = [(0, 0)] * (image.ndim - 2)
    blur = np.pad(image.astype(np.float64), [*beside, (reach, reach), (reach, reach)], mode="reflect")
    for axis in (-2, -1):
        blur = np.lib.stride_tricks.sliding_window_view(blur, len(weights), axis=axis) @ weights / weights.sum()
    return blur


def agrees(library, image, sigma):
    return library.excess(
        gaussian_blur, image, native.gaussian_blur(image, sigma=sigma), GAUSSIAN_BLUR.tolerance, sigma=sigma
    )


@with_jit
@pytest.mark.parametrize(
    ("dtype", "shape", "sigma"),
    [
        ("uint8", (1, 1), 3.0),
        ("uint16", (1, 8), 0.3),
        ("float32", (8, 1), 1.0),
        ("uint16", (17, 23), 2.5),
        ("float32", (17, 23), 30.0),
        # Longer than a block and what the Gaussian reaches: one axis, and both, in blocks.
        ("uint16", (30, 90), 1.0),
        ("uint8", (101, 75), 2.5),
        ("float32", (75, 131), 4.0),
    ],
)
def test_blurring_agrees_with_numpys_kernel(library, dtype, shape, sigma):
    assert agrees(library, noise(dtype, shape), sigma) <= 0


@at_once
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("sigma", [0.1, 1.3, 6.0, 200.0])
def test_blurring_is_that_of_float64(library, dtype, sigma):
    image = noise(dtype, (37, 61))
    found = library.call(gaussian_blur, image, sigma=sigma)
    wanted = blurred(image, sigma)
    # Half a level is rounding; float32 is off by hundredths.
    assert np.abs(found - wanted).max() < (2e-6 * wanted.max() if dtype == "float32" else 0.52)


@by_name
@quickly
@given(image=PLANES, sigma=st.floats(0.01, 12))
def test_blurring_any_plane_agrees(libraries, name, image, sigma):
    assert agrees(libraries(name), image, sigma) <= 0


@by_name
@quickly
@given(image=PLANES, radius=st.floats(0.01, 12), amount=st.floats(0, 100))
def test_sharpening_any_plane_agrees(libraries, name, image, radius, amount):
    told = {"radius": radius, "amount": amount}
    expected = native.unsharp_mask(image, **told)
    assert libraries(name).excess(unsharp_mask, image, expected, UNSHARP_MASK.tolerance, **told) <= 0


@with_jit
@pytest.mark.parametrize(
    ("dtype", "shape", "amount"), [("uint8", (1, 8), 0.0), ("uint16", (17, 80), 7.5), ("float32", (8, 1), 1.0)]
)
def test_sharpening_agrees_with_numpys_kernel(library, dtype, shape, amount):
    image, told = noise(dtype, shape), {"radius": 1.5, "amount": amount}
    assert (
        library.excess(unsharp_mask, image, native.unsharp_mask(image, **told), UNSHARP_MASK.tolerance, **told) <= 0
    )


@at_once
def test_sharpening_is_clipped_at_the_ends_of_the_images_dtype(library):
    image = np.zeros((9, 9), np.uint16)
    image[:, 4:] = 65535
    found = library.call(unsharp_mask, image, amount=50.0)
    np.testing.assert_array_equal(found, image)


@at_once
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("sigma", [0.7, 9.0])
def test_an_even_plane_stays_even(library, dtype, sigma):
    image = np.full((40, 90), TOP[dtype], dtype)
    found = library.call(gaussian_blur, image, sigma=sigma)
    assert np.abs(found.astype(np.float64) - image).max() <= (1e-6 * TOP[dtype] if dtype == "float32" else 0)


@with_jit
def test_each_of_several_planes_is_blurred_alone(library):
    images = noise("uint16", (2, 3, 20, 70))
    found = library.call(gaussian_blur, images, sigma=1.5)
    alone = library.call(gaussian_blur, images[1, 2], sigma=1.5)
    # A product of larger matrices may add up in another order.
    assert np.abs(found[1, 2].astype(np.int64) - alone).max() <= 1
    assert np.abs(found - blurred(images, 1.5)).max() < 0.52
