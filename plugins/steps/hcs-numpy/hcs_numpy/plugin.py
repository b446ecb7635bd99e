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
        summary="stretch each plane between two of its percentiles over the whole range of its dtype",
    )
    yield KernelSpec(
        operation="gaussian_blur",
        memory_type="numpy",
        target="hcs_numpy.filters:gaussian_blur",
        signature=signatures.GAUSSIAN_BLUR,
        summary="blur each plane with a Gaussian",
    )
    yield KernelSpec(
        operation="white_tophat",
        memory_type="numpy",
        target="hcs_numpy.morphology:white_tophat",
        signature=signatures.WHITE_TOPHAT,
        summary="take away from each plane what is larger than a square",
    )
    yield KernelSpec(
        operation="max_projection",
        memory_type="numpy",
        target="hcs_numpy.projections:max_projection",
        signature=signatures.MAX_PROJECTION,
        summary="keep the brightest value along z",
    )
    yield KernelSpec(
        operation="composite",
        memory_type="numpy",
        target="hcs_numpy.channels:composite",
        signature=signatures.COMPOSITE,
        summary="join the channels into one, their weighted mean",
    )
