"""What this distribution declares to hcs_core: the memory type `torch`, and kernels that work on its tensors."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import KernelSpec, MemoryTypeSpec, hookimpl
from hcs_operations.operations import kernels

hcs_api = 1

TARGETS = {
    "percentile_normalize": "hcs_torch.intensity:percentile_normalize",
    "rescale_intensity": "hcs_torch.intensity:rescale_intensity",
    "flat_field": "hcs_torch.illumination:flat_field",
    "gaussian_blur": "hcs_torch.filters:gaussian_blur",
    "unsharp_mask": "hcs_torch.filters:unsharp_mask",
    "white_tophat": "hcs_torch.morphology:white_tophat",
    "threshold_otsu": "hcs_torch.thresholds:threshold_otsu",
    "mean_projection": "hcs_torch.projections:mean_projection",
    "median_projection": "hcs_torch.projections:median_projection",
    "composite": "hcs_torch.channels:composite",
    "best_focus_projection": "hcs_torch.focus:best_focus_projection",
}
"""The kernels that are written for torch, by operation."""

PORTABLE = ("crop", "bin", "max_projection")
"""The operations that have no kernel written for torch: that for all array libraries serves."""


CONTEXT_BYTES = 512 * 2**20
"""What a process that uses a GPU holds there beside arrays: the driver's context and the code of kernels. It depends
on card and driver; this is meant to be rather too much than too little."""

HOW_TO_GET = (
    "Install the build of PyTorch that pytorch.org names for this machine; that for CUDA on Linux, some gigabytes, "
    "comes with pip install 'hcs-torch[cuda]'."
)
"""An extra alone would bring gigabytes to a Linux machine without a GPU."""


@hookimpl
def hcs_memory_types() -> Iterable[MemoryTypeSpec]:
    """Declare the memory type `torch`."""
    yield MemoryTypeSpec(
        name="torch",
        target="hcs_torch.memory:TorchMemory",
        library="torch",
        context_bytes=CONTEXT_BYTES,
        has_cpu=True,
        how_to_get=HOW_TO_GET,
        summary="PyTorch's tensors, on its CPU, CUDA and Apple devices",
    )


@hookimpl
def hcs_kernels() -> Iterable[KernelSpec]:
    """Declare the kernels of this distribution."""
    yield from kernels("torch", TARGETS, PORTABLE, batches=True)
