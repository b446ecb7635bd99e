"""Direct routes between torch and CuPy: the other library's array over the same memory of a GPU, by DLPack.

DLPack (https://dmlc.github.io/dlpack/latest/) says where an array lies and how; nothing is copied. Who gets an array
over shared memory reads it only.
"""

from __future__ import annotations

from typing import Any


def torch_to_cupy(array: Any) -> Any:
    """Return a tensor of torch on a GPU as an array of CuPy, in its dtype."""
    import cupy

    # A tensor that wants a gradient is not handed out.
    return cupy.from_dlpack(array.detach())


def cupy_to_torch(array: Any) -> Any:
    """Return an array of CuPy as a tensor of torch on its GPU, in its dtype (uint16 and uint32 among them)."""
    import torch

    return torch.from_dlpack(array)
