"""What this distribution declares to hcs_core: kernels that work on numpy's arrays."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import KernelSpec, hookimpl
from hcs_operations.operations import kernels

hcs_api = 1

TARGETS = {
    "percentile_normalize": "hcs_numpy.intensity:percentile_normalize",
    "rescale_intensity": "hcs_numpy.intensity:rescale_intensity",
    "flat_field": "hcs_numpy.illumination:flat_field",
    "gaussian_blur": "hcs_numpy.filters:gaussian_blur",
    "unsharp_mask": "hcs_numpy.filters:unsharp_mask",
    "white_tophat": "hcs_numpy.morphology:white_tophat",
    "threshold_otsu": "hcs_numpy.thresholds:threshold_otsu",
    "bin": "hcs_numpy.frames:bin_pixels",
    "mean_projection": "hcs_numpy.projections:mean_projection",
    "median_projection": "hcs_numpy.projections:median_projection",
    "best_focus_projection": "hcs_numpy.focus:best_focus_projection",
    "composite": "hcs_numpy.channels:composite",
}
"""The kernels that are written for numpy, with OpenCV and strip by strip, by operation."""

PORTABLE = ("crop", "max_projection")
"""The operations whose kernel for all array libraries is as fast; of the others it takes 1.5 to 60 times as long."""


@hookimpl
def hcs_kernels() -> Iterable[KernelSpec]:
    """Declare the kernels of this distribution."""
    yield from kernels("numpy", TARGETS, PORTABLE)
