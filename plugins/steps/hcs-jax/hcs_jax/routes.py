"""Direct routes to and from JAX: another library's array over the same memory of a device, by DLPack.

DLPack (https://dmlc.github.io/dlpack/latest/) says where an array lies and how; nothing is copied where the library
that takes it can do with that. Who gets an array over shared memory reads it only.
"""

from __future__ import annotations

from typing import Any


def torch_to_jax(array: Any) -> Any:
    """Return a tensor of torch as an array of JAX, on its device, in its dtype."""
    # JAX takes only what is dense, and torch hands out nothing that wants a gradient.
    return _taken_by_jax(array.detach().contiguous())


def jax_to_torch(array: Any) -> Any:
    """Return an array of JAX as a tensor of torch, on its device, in its dtype (uint16 and uint32 among them)."""
    import torch

    return torch.from_dlpack(array)


def cupy_to_jax(array: Any) -> Any:
    """Return an array of CuPy as one of JAX, on its device, in its dtype."""
    import cupy

    return _taken_by_jax(cupy.ascontiguousarray(array).reshape(array.shape))


def jax_to_cupy(array: Any) -> Any:
    """Return an array of JAX as one of CuPy, on its device, in its dtype."""
    import cupy

    return cupy.from_dlpack(array)


def _taken_by_jax(array: Any) -> Any:
    import jax

    # Without it, JAX makes 32 bits of 64, and says nothing.
    with jax.enable_x64(True):
        return jax.dlpack.from_dlpack(array)
