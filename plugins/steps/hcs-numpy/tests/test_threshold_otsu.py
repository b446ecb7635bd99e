"""Otsu's threshold."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from skimage.filters import threshold_otsu as skimage_otsu

from hcs_numpy.thresholds import otsu_threshold, threshold_otsu

quickly = settings(deadline=None, database=None, max_examples=60)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
TOP = {"uint8": 255, "uint16": 65535, "float32": 3.5}
every_dtype = pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])


def cells(dtype, seed):
    """Return bright cells on a dark, noisy ground."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:150, :171]
    picture = random.normal(0.1, 0.03, y.shape)
    for _ in range(12):
        at = random.uniform(0, 150, 2)
        inside = (y - at[0]) ** 2 + (x - at[1]) ** 2 < random.uniform(5, 12) ** 2
        picture[inside] += random.uniform(0.3, 0.6)
    return (picture.clip(0, 1) * TOP[dtype]).astype(dtype)


def between(image, threshold):
    """Return the variance between the pixels above a threshold and the rest, by its definition."""
    pixels = image.astype(np.float64).ravel()
    classes = [part for part in (pixels[pixels <= threshold], pixels[pixels > threshold]) if part.size]
    return sum(part.size * (part.mean() - pixels.mean()) ** 2 for part in classes) / pixels.size


@every_dtype
def test_known_answer(dtype):
    image = np.array([[1, 2, 1, 2], [9, 8, 9, 8]], dtype)
    result = threshold_otsu(image)
    np.testing.assert_array_equal(result, [[0] * 4, [255] * 4])
    assert result.dtype == np.uint8


@every_dtype
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_scikit_image(dtype, seed):
    image = cells(dtype, seed)
    np.testing.assert_array_equal(threshold_otsu(image), np.where(image > skimage_otsu(image), 255, 0))
    assert otsu_threshold(image) == pytest.approx(skimage_otsu(image), rel=1e-6)


@quickly
@given(image=hnp.arrays("uint8", SHAPES) | hnp.arrays("uint16", SHAPES, elements=st.integers(64000, 64200)))
def test_no_other_threshold_parts_integers_better(image):
    best = max(between(image, threshold) for threshold in np.unique(image))
    assert between(image, otsu_threshold(image)) == pytest.approx(best, rel=1e-9, abs=1e-9)


@quickly
@given(image=hnp.arrays("float32", SHAPES, elements=st.floats(-100, 100, width=32)))
def test_no_edge_between_two_bins_parts_floats_better(image):
    # With pixels at the centres of their bins, which is what a histogram knows.
    low, high = float(image.min()), float(image.max())
    if high - low < 1e-3:
        return
    counts, edges = np.histogram(image.astype(np.float64), 256, range=(low, high))
    binned = np.repeat((edges[:-1] + edges[1:]) / 2, counts)
    best = max(between(binned, threshold) for threshold in np.unique(binned))
    assert between(binned, otsu_threshold(image) + 1e-9) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_of_equal_thresholds_the_lowest_is_taken(dtype):
    assert otsu_threshold(np.array([[10, 10, 200, 200]], dtype)) == 10


@every_dtype
@pytest.mark.parametrize("value", [0, 7, "top"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 6)])
def test_a_constant_plane_is_0_everywhere(dtype, value, shape):
    image = np.full(shape, TOP[dtype] if value == "top" else value, dtype)
    assert not threshold_otsu(image).any()
    assert otsu_threshold(image) == image[0, 0]


def test_what_is_not_finite_does_not_count():
    image = cells("float32", 1)
    threshold = otsu_threshold(image)
    image[:2, :3] = [[np.nan, np.inf, -np.inf], [np.nan, np.nan, np.inf]]
    result = threshold_otsu(image)
    np.testing.assert_array_equal(result[:2, :3], [[0, 255, 0], [0, 0, 255]])
    assert otsu_threshold(image) == pytest.approx(threshold, rel=0.02)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_plane_without_a_finite_pixel_is_0_everywhere(value):
    image = np.full((3, 4), value, np.float32)
    assert otsu_threshold(image) is None
    assert not threshold_otsu(image).any()


@pytest.mark.parametrize("low", [1.0, -3e38])
def test_floats_next_to_each_other_and_far_from_each_other_are_parted(low):
    high = np.nextafter(np.float32(low), np.float32(2)) if low > 0 else 3e38
    image = np.array([[low, high, low, high]], np.float32)
    np.testing.assert_array_equal(threshold_otsu(image), [[0, 255, 0, 255]])


def test_large_planes_are_counted_rightly():
    # More pixels than float32 can count: a plane of which a third is bright.
    image = np.zeros((4100, 4100), np.uint8)
    image[::3] = 90
    assert (threshold_otsu(image)[:6, 0] == [255, 0, 0, 255, 0, 0]).all()
