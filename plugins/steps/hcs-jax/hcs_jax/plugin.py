"""What this distribution declares to hcs_core: JAX's arrays, kernels that work on them, and direct routes."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import ConverterSpec, KernelSpec, MemoryTypeSpec, hookimpl
from hcs_operations.operations import kernels

hcs_api = 1

ROUTES = (
    ("torch", "jax", ("cpu", "cuda")),
    ("jax", "torch", ("cuda",)),
    ("cupy", "jax", ("cuda",)),
    ("jax", "cupy", ("cuda",)),
)
"""Direct routes, and the kinds of devices on which they are worth it.

On a CPU the way through host memory copies nothing either, but that JAX narrows what torch holds in a wider dtype
faster than torch and numpy do (uint16: 2 ms for 6).
"""

TARGETS = {
    "percentile_normalize": "hcs_jax.intensity:percentile_normalize",
    "rescale_intensity": "hcs_jax.portable:rescale_intensity",
    "flat_field": "hcs_jax.illumination:flat_field",
    "gaussian_blur": "hcs_jax.portable:gaussian_blur",
    "unsharp_mask": "hcs_jax.portable:unsharp_mask",
    "white_tophat": "hcs_jax.portable:white_tophat",
    "threshold_otsu": "hcs_jax.thresholds:threshold_otsu",
    "crop": "hcs_jax.portable:crop",
    "bin": "hcs_jax.portable:bin_pixels",
    "max_projection": "hcs_jax.portable:max_projection",
    "mean_projection": "hcs_jax.portable:mean_projection",
    "median_projection": "hcs_jax.portable:median_projection",
    "best_focus_projection": "hcs_jax.focus:best_focus_projection",
    "composite": "hcs_jax.portable:composite",
}
"""The kernels by operation: those of `hcs_jax.portable` are written once for all libraries, and compiled here."""

CONTEXT_BYTES = 512 * 2**20
"""What a process that uses a GPU holds there beside arrays: the driver's context and the code of kernels. It depends
on card and driver; this is meant to be rather too much than too little."""

WORKER_ENVIRONMENT = (
    # The size of the pool of threads in which a CPU computes: by default, one for each core in every worker.
    ("NPROC", "1"),
    # Else the first worker on a GPU takes three quarters of it for itself.
    ("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
)
"""What JAX is told where workers share cores and devices; it reads this when it makes its first array."""


@hookimpl
def hcs_memory_types() -> Iterable[MemoryTypeSpec]:
    """Declare the memory type."""
    yield MemoryTypeSpec(
        name="jax",
        target="hcs_jax.memory:JaxMemory",
        library="jax",
        worker_environment=WORKER_ENVIRONMENT,
        context_bytes=CONTEXT_BYTES,
        has_cpu=True,
        summary="JAX's arrays, on a CPU or a GPU; kernels are compiled",
    )


@hookimpl
def hcs_converters() -> Iterable[ConverterSpec]:
    """Declare the routes that spare the way through host memory."""
    for source, destination, devices in ROUTES:
        yield ConverterSpec(
            source=source,
            destination=destination,
            target=f"hcs_jax.routes:{source}_to_{destination}",
            devices=devices,
            summary=f"hands the memory of {source}'s arrays to {destination} by DLPack",
        )


@hookimpl
def hcs_kernels() -> Iterable[KernelSpec]:
    """Declare the kernels of this distribution."""
    yield from kernels("jax", TARGETS, batches=True)
