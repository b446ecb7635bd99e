"""Cropping and binning in any array library, beside numpy's kernels."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from hcs_numpy import frames as native
from hcs_operations.portable.frames import bin_pixels, crop
from hcs_operations.signatures import BIN, BIN_METHODS, CROP

quickly = settings(
    deadline=None, database=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
with_jit = pytest.mark.parametrize("library", ["numpy", "array-api-strict", "torch", "jax-jit"], indirect=True)
by_name = pytest.mark.parametrize("name", ["numpy", "array-api-strict", "torch"])
every_method = pytest.mark.parametrize("method", BIN_METHODS)
TOP = {"uint8": 255, "uint16": 65535, "float32": 1e5}
PLANES = st.sampled_from(["uint8", "uint16", "float32"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=12),
        elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False) if dtype == "float32" else None,
    )
)


def noise(dtype, shape):
    return (np.random.default_rng(5).random(shape) * TOP[dtype]).astype(dtype)


def excess(library, image, **told):
    return library.excess(bin_pixels, image, native.bin_pixels(image, **told), BIN.tolerance, **told)


@with_jit
@every_method
@pytest.mark.parametrize(
    ("dtype", "shape", "factor"), [("uint8", (1, 1), 1), ("uint16", (17, 23), 3), ("float32", (9, 8), 2)]
)
def test_binning_agrees_with_numpys_kernel(library, method, dtype, shape, factor):
    assert excess(library, noise(dtype, shape), factor=factor, method=method) <= 0


@by_name
@every_method
@quickly
@given(image=PLANES, factor=st.integers(1, 4))
def test_binning_any_plane_agrees(libraries, name, method, image, factor):
    # The sum of a square in float64 may be another where numbers of both signs cancel out: its limit is of them.
    library, told = libraries(name), {"factor": factor, "method": method}
    if image.dtype.kind == "f":
        parts = factor**2 if method == "sum" else 1
        room = 1e-6 * parts * np.abs(image).max(initial=1.0)
        found = library.call(bin_pixels, image, **told)
        np.testing.assert_allclose(found, native.bin_pixels(image, **told), rtol=0, atol=room)
    else:
        np.testing.assert_array_equal(library.call(bin_pixels, image, **told), native.bin_pixels(image, **told))


@with_jit
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_sum_is_clipped_at_the_largest_value_of_the_images_dtype(library, dtype):
    image = np.full((4, 6), TOP[dtype], dtype)
    image[:2, :2] = [[1, 2], [3, TOP[dtype] - 7]]
    found = library.call(bin_pixels, image, method="sum")
    wanted = np.full((2, 3), TOP[dtype])
    wanted[0, 0] = TOP[dtype] - 1
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
@every_method
def test_squares_whose_sum_is_too_large_for_int32(libraries, name, method):
    image = noise("uint16", (400, 400)) | np.uint16(32768)
    assert excess(libraries(name), image, factor=200, method=method) <= 0
    assert excess(libraries(name), np.full_like(image, 65535), factor=200, method=method) <= 0


@by_name
@every_method
def test_each_of_several_planes_is_binned_alone(libraries, name, method):
    images = noise("uint16", (2, 3, 9, 10))
    found = libraries(name).call(bin_pixels, images, factor=2, method=method)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[index], native.bin_pixels(images[index], method=method))


@with_jit
def test_cropping_keeps_the_pixels_within(library):
    for image in (noise("uint16", (7, 9)), np.array([[np.nan, 1, np.inf], [2, -np.inf, 3]], np.float32)):
        told = {"y": 1, "x": 1, "width": 2}
        assert library.excess(crop, image, image[1:, 1:3], CROP.tolerance, **told) <= 0


@by_name
def test_what_is_cropped_is_an_array_of_its_own(libraries, name):
    library = libraries(name)
    image = library.array(np.arange(6, dtype=np.float32).reshape(2, 3))
    kept = crop(image, x=1)
    image[...] = 0
    assert library.numpy(kept).tolist() == [[1, 2], [4, 5]]


@by_name
def test_several_planes_are_cropped_alike(libraries, name):
    images = noise("uint8", (2, 3, 5, 6))
    found = libraries(name).call(crop, images, y=1, height=3)
    np.testing.assert_array_equal(found, images[:, :, 1:4])


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_what_cannot_be_is_refused(libraries, name):
    image = libraries(name).array(np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="does not lie within 4 x 5"):
        crop(image, y=2, height=3)
    with pytest.raises(ValueError, match="factor=5 leaves nothing of 4 x 5"):
        bin_pixels(image, factor=5)
    with pytest.raises(ValueError, match="method='median' is none of mean, sum, max"):
        bin_pixels(image, method="median")
