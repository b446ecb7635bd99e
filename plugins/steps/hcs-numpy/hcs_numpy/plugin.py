"""What this distribution declares to hcs_core: the memory type `numpy`, and kernels that work in it."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import KernelSpec, MemoryTypeSpec, hookimpl
from hcs_numpy import signatures

hcs_api = 1


@hookimpl
def hcs_memory_types() -> Iterable[MemoryTypeSpec]:
    """Declare the memory type `numpy`: ordinary arrays in host memory."""
    yield MemoryTypeSpec(
        name="numpy",
        target="hcs_numpy.memory:NumpyMemory",
        library="numpy",
        summary="ordinary arrays in host memory",
    )


@hookimpl
def hcs_kernels() -> Iterable[KernelSpec]:
    """Declare the operations of this distribution."""
    yield KernelSpec(
        operation="percentile_normalize",
        memory_type="numpy",
        target="hcs_numpy.intensity:percentile_normalize",
        signature=signatures.PERCENTILE_NORMALIZE,
        summary="stretch each plane between two percentiles of its own, its well or the plate over its dtype's range",
    )
    yield KernelSpec(
        operation="rescale_intensity",
        memory_type="numpy",
        target="hcs_numpy.intensity:rescale_intensity",
        signature=signatures.RESCALE_INTENSITY,
        summary="map a range of grey levels of each plane linearly onto another",
    )
    yield KernelSpec(
        operation="flat_field",
        memory_type="numpy",
        target="hcs_numpy.illumination:flat_field",
        signature=signatures.FLAT_FIELD,
        summary="divide each plane by an illumination profile",
    )
    yield KernelSpec(
        operation="gaussian_blur",
        memory_type="numpy",
        target="hcs_numpy.filters:gaussian_blur",
        signature=signatures.GAUSSIAN_BLUR,
        summary="blur each plane with a Gaussian",
    )
    yield KernelSpec(
        operation="unsharp_mask",
        memory_type="numpy",
        target="hcs_numpy.filters:unsharp_mask",
        signature=signatures.UNSHARP_MASK,
        summary="sharpen each plane: add what a Gaussian would take away",
    )
    yield KernelSpec(
        operation="white_tophat",
        memory_type="numpy",
        target="hcs_numpy.morphology:white_tophat",
        signature=signatures.WHITE_TOPHAT,
        summary="take away from each plane what is larger than a square",
    )
    yield KernelSpec(
        operation="threshold_otsu",
        memory_type="numpy",
        target="hcs_numpy.thresholds:threshold_otsu",
        signature=signatures.THRESHOLD_OTSU,
        summary="set what is above each plane's threshold by Otsu to 255, the rest to 0",
    )
    yield KernelSpec(
        operation="crop",
        memory_type="numpy",
        target="hcs_numpy.frames:crop",
        signature=signatures.CROP,
        summary="keep a rectangle of each plane",
    )
    yield KernelSpec(
        operation="bin",
        memory_type="numpy",
        target="hcs_numpy.frames:bin_pixels",
        signature=signatures.BIN,
        summary="join squares of pixels into one",
    )
    yield KernelSpec(
        operation="max_projection",
        memory_type="numpy",
        target="hcs_numpy.projections:max_projection",
        signature=signatures.MAX_PROJECTION,
        summary="keep the brightest value along z",
    )
    yield KernelSpec(
        operation="mean_projection",
        memory_type="numpy",
        target="hcs_numpy.projections:mean_projection",
        signature=signatures.MEAN_PROJECTION,
        summary="take the mean along z",
    )
    yield KernelSpec(
        operation="median_projection",
        memory_type="numpy",
        target="hcs_numpy.projections:median_projection",
        signature=signatures.MEDIAN_PROJECTION,
        summary="take the median along z",
    )
    yield KernelSpec(
        operation="best_focus_projection",
        memory_type="numpy",
        target="hcs_numpy.focus:best_focus_projection",
        signature=signatures.BEST_FOCUS_PROJECTION,
        summary="keep the one plane along z that is in best focus",
    )
    yield KernelSpec(
        operation="composite",
        memory_type="numpy",
        target="hcs_numpy.channels:composite",
        signature=signatures.COMPOSITE,
        summary="join the channels into one, their weighted mean",
    )
