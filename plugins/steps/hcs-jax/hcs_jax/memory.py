"""The memory type `jax`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core import to_dtype
from hcs_jax.devices import CPU, device_called, name_of, named_devices

HELD = frozenset({
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
})  # fmt: skip
"""The dtypes of numpy that JAX has too."""


class JaxMemory:
    """Arrays of JAX: a `MemoryType` that has devices. Making one imports no jax.

    JAX has dtypes of 64 bits only where they are enabled, which is done as a context around what needs them, in the
    thread that needs them, and never for the process.

    Examples
    --------
    >>> from hcs_jax.memory import JaxMemory
    >>> JaxMemory().holds("uint16")
    'uint16'
    """

    def owns(self, array: object) -> bool:
        """Whether it is an array of JAX."""
        # While another thread is importing jax, it is there without what it will have.
        kind = getattr(sys.modules.get("jax"), "Array", None)
        return kind is not None and isinstance(array, kind)

    def holds(self, dtype: str) -> str:
        """Return the dtype itself: JAX computes in all of them."""
        return dtype if dtype in HELD else ""

    def from_host(self, array: npt.NDArray[Any], device: str = CPU) -> Any:
        """Return an array on a device; on the CPU it shares memory where that is aligned to 64 bytes."""
        import jax

        native = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
        with jax.enable_x64(True):
            return jax.device_put(native, device_called(device))

    def to_host(self, array: Any, dtype: str = "") -> npt.NDArray[Any]:
        """Return numpy's array, which cannot be written to; on the CPU it is the same memory."""
        host = np.asarray(array)
        return to_dtype(host, dtype) if dtype else host

    def cast(self, array: Any, dtype: str) -> Any:
        """Return the array in the dtype, as `to_dtype` does."""
        from hcs_jax.casting import cast

        return cast(array, dtype)

    def stack(self, planes: Sequence[Any]) -> Any:
        """Return a new array with these along its first axis, zeros for `None`."""
        import jax

        from hcs_jax.planes import stacked

        with jax.enable_x64(True):
            return stacked(tuple(planes))

    def nonfinite(self, array: Any) -> int:
        """Return how many values are NaN or infinite."""
        import jax

        from hcs_jax.planes import nonfinite

        if not jax.numpy.issubdtype(array.dtype, jax.numpy.inexact):
            return 0
        with jax.enable_x64(True):
            return int(nonfinite(array))

    def mark(self, array: Any) -> object:  # noqa: ARG002 - no array of JAX can be written to
        """Return the same always."""
        return "never written to"

    def devices(self) -> tuple[str, ...]:
        """Return JAX's devices, accelerators first."""
        return tuple(named_devices())

    def device_of(self, array: Any) -> str:
        """Return the name of the device that an array is on."""
        return name_of(array)

    def to_device(self, array: Any, device: str) -> Any:
        """Return the array on a device."""
        import jax

        if name_of(array) == device:
            return array
        with jax.enable_x64(True):
            return jax.device_put(array, device_called(device))

    def scope(self, device: str, dtype: str) -> AbstractContextManager[None]:
        """Return what makes new arrays on the device, and enables 64 bits for an image that has them."""
        return _scope(device, dtype)

    def free_bytes(self, device: str) -> int | None:
        """Return what JAX may still take of a device's memory; `None` for the CPU's."""
        known = device_called(device).memory_stats()
        return None if not known or "bytes_limit" not in known else known["bytes_limit"] - known["bytes_in_use"]

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether it is the error that JAX raises where a device has no room for an array."""
        errors = getattr(sys.modules.get("jax"), "errors", None)
        kind = getattr(errors, "JaxRuntimeError", None)
        return kind is not None and isinstance(error, kind) and "RESOURCE_EXHAUSTED" in str(error)

    def release(self, device: str) -> None:
        """Do nothing: what JAX took of a device it keeps for its next arrays, and has no way to give it back.

        What no array is in any more counts as free in `free_bytes`.
        """

    def wait(self, array: Any) -> None:
        """Return when an array is there."""
        array.block_until_ready()


@contextmanager
def _scope(device: str, dtype: str) -> Iterator[None]:
    import jax

    wide = np.dtype(dtype).itemsize >= _WIDE.get(np.dtype(dtype).kind, sys.maxsize)
    with jax.default_device(device_called(device)), jax.enable_x64(True) if wide else nullcontext():
        yield


_WIDE = {"i": 8, "u": 8, "f": 8, "c": 16}
"""From how many bytes on a dtype has 64 bits to JAX, by its kind."""
