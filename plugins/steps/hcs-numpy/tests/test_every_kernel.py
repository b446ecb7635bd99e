"""What holds for every kernel beside the contract (test_contract.py): no wrapping, and how much memory is held."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from hcs_numpy.channels import composite
from hcs_numpy.filters import gaussian_blur, unsharp_mask
from hcs_numpy.focus import best_focus_projection
from hcs_numpy.frames import bin_pixels
from hcs_numpy.illumination import flat_field
from hcs_numpy.intensity import percentile_normalize, rescale_intensity
from hcs_numpy.morphology import white_tophat
from hcs_numpy.projections import mean_projection, median_projection
from hcs_numpy.thresholds import threshold_otsu
from hcs_operations.portable.frames import crop
from hcs_operations.portable.projections import max_projection

DTYPES = ("uint8", "uint16", "float32")
TOP = {"uint8": 255, "uint16": 65535, "float32": 4e4}
SIDE = 2160
"""Of the planes whose memory is measured."""


def blur(image):
    return gaussian_blur(image, sigma=2.5)


def wide_blur(image):
    return gaussian_blur(image, sigma=20)


def sharpened(image):
    return unsharp_mask(image, radius=2.5)


def tophat(image):
    return white_tophat(image, radius=3)


def corrected(image):
    # Brighter from left to right; a view of one row, which weighs nothing.
    return flat_field(image, profile=np.broadcast_to(np.linspace(1, 3, image.shape[1]), image.shape), dark=3)


def rescaled(image):
    return rescale_intensity(image, low=3, high=30, out_low=10, out_high=200)


def unbinned(image):
    return bin_pixels(image, factor=1)


def summed(image):
    return bin_pixels(image, factor=1, method="sum")


def steepest(image):
    return best_focus_projection(image, measure="tenengrad")


def most_curved(image):
    return best_focus_projection(image, measure="laplacian")


def most_different(image):
    return best_focus_projection(image, measure="brenner")


def weighted(image):
    return composite(image, weights=tuple(range(1, len(image) + 1)))


PLANE_WISE = (
    percentile_normalize, rescale_intensity, rescaled, corrected, blur, wide_blur, sharpened, tophat, threshold_otsu,
    crop, unbinned, summed,
)  # fmt: skip
STACKED = (
    max_projection, mean_projection, median_projection, best_focus_projection, steepest, most_curved, most_different,
    composite, weighted,
)  # fmt: skip
BEYOND = (sharpened, corrected, rescaled)
"""What may leave the range of a plane of floats."""
every_kernel = pytest.mark.parametrize("kernel", PLANE_WISE + STACKED, ids=lambda kernel: kernel.__name__)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def picture(kernel, dtype, shape, depth=3):
    """Return noise of the full range of a dtype, a stack for a kernel that takes one."""
    full = (depth, *shape) if kernel in STACKED else shape
    return (np.random.default_rng(7).random(full, np.float32) * TOP[dtype]).astype(dtype)


@every_kernel
@every_dtype
def test_the_result_is_contiguous_and_can_be_written_to(kernel, dtype):
    result = kernel(picture(kernel, dtype, (9, 14)))
    assert result.flags.c_contiguous
    assert result.flags.writeable


@every_kernel
@every_dtype
@pytest.mark.parametrize("extreme", ["lowest", "highest", "both"])
def test_extreme_values_do_not_wrap(kernel, dtype, extreme):
    top = np.finfo(np.float32).max / 4 if dtype == "float32" else TOP[dtype]
    image = np.zeros_like(picture(kernel, dtype, (12, 15)))
    if extreme == "highest":
        image[...] = top
    if extreme == "both":
        image[..., 6:, :] = top
    result = kernel(image)
    assert np.isfinite(result).all()
    if kernel in BEYOND and (dtype == "float32" or kernel is rescaled):
        return
    assert result.min() >= 0
    assert result.max() <= top * (1 + 1e-5)
    if extreme == "lowest":
        assert not result.any()


@every_kernel
@every_dtype
def test_holds_two_further_planes_at_most(kernel, dtype):
    image = picture(kernel, dtype, (SIDE, SIDE), depth=2)
    plane = SIDE * SIDE * image.itemsize
    tracemalloc.start()
    try:
        result = kernel(image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.nbytes == (SIDE * SIDE if kernel is threshold_otsu else plane)
    # Tables of 65,536 numbers weigh much beside a small plane of uint8: 4 MiB are allowed for them.
    assert peak <= 3 * plane + (4 << 20)


MEASURE = """
import numpy as np
from {module} import {function}
def status(word):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(word))
image = np.empty({shape}, np.uint16)
image[...] = np.arange({side}) * 7 % 4000
def called(image):
    return {function}(image{arguments})
called(np.array(image[..., :64, :64]))
before = status("VmHWM:")
result = called(image)
print(status("VmHWM:") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is not told here")
@pytest.mark.parametrize(
    ("module", "function", "arguments", "depth"),
    [
        ("hcs_numpy.intensity", "percentile_normalize", "", 0),
        ("hcs_numpy.intensity", "rescale_intensity", "", 0),
        (
            "hcs_numpy.illumination",
            "flat_field",
            ", profile=np.broadcast_to(np.float32(2), image.shape[-2:]), dark=3",
            0,
        ),
        ("hcs_numpy.filters", "gaussian_blur", ", sigma=10", 0),
        ("hcs_numpy.filters", "unsharp_mask", ", radius=10", 0),
        ("hcs_numpy.morphology", "white_tophat", ", radius=20", 0),
        ("hcs_operations.portable.projections", "max_projection", "", 2),
        ("hcs_numpy.projections", "mean_projection", "", 2),
        ("hcs_numpy.projections", "median_projection", "", 4),
        ("hcs_numpy.focus", "best_focus_projection", ", measure='tenengrad'", 2),
        ("hcs_numpy.channels", "composite", ", weights=(0.25, 0.7)", 2),
    ],
)
def test_a_process_grows_by_three_planes_at_most(module, function, arguments, depth):
    # tracemalloc does not see what OpenCV allocates for itself; the operating system does.
    shape = (depth, SIDE, SIDE) if depth else (SIDE, SIDE)
    code = MEASURE.format(module=module, function=function, arguments=arguments, shape=shape, side=SIDE)
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    plane = SIDE * SIDE * 2
    # At least the result, or nothing was measured; 6 MiB for tables and for the libraries' own growth.
    assert plane * 0.9 <= int(found.stdout) <= 3 * plane + (6 << 20)
