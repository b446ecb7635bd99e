"""What this distribution declares to hcs_core: CuPy's arrays, kernels that work on them, and routes from torch."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import ConverterSpec, KernelSpec, MemoryTypeSpec, hookimpl
from hcs_operations.operations import OPERATIONS, kernels

hcs_api = 1

TARGETS = {
    "gaussian_blur": "hcs_cupy.filters:gaussian_blur",
    "unsharp_mask": "hcs_cupy.filters:unsharp_mask",
    "threshold_otsu": "hcs_cupy.thresholds:threshold_otsu",
}
"""The kernels that call CuPy's own functions, by operation; the others are the portable ones."""

CONTEXT_BYTES = 512 * 2**20
"""What a process that uses a GPU holds there beside arrays: the driver's context and the code of kernels. It depends
on card and driver; this is meant to be rather too much than too little."""


@hookimpl
def hcs_memory_types() -> Iterable[MemoryTypeSpec]:
    """Declare the memory type."""
    yield MemoryTypeSpec(
        name="cupy",
        target="hcs_cupy.memory:CupyMemory",
        library="cupy",
        context_bytes=CONTEXT_BYTES,
        summary="CuPy's arrays, on an NVIDIA GPU",
    )


@hookimpl
def hcs_converters() -> Iterable[ConverterSpec]:
    """Declare the routes that stay on a device."""
    for source, destination in (("torch", "cupy"), ("cupy", "torch")):
        yield ConverterSpec(
            source=source,
            destination=destination,
            target=f"hcs_cupy.routes:{source}_to_{destination}",
            devices=("cuda",),
            summary=f"hands the memory of {source}'s arrays to {destination} by DLPack",
        )


@hookimpl
def hcs_kernels() -> Iterable[KernelSpec]:
    """Declare the kernels of this distribution, all of which take several images at once, too."""
    yield from kernels("cupy", TARGETS, portable=OPERATIONS, batches=True)
