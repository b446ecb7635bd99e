"""The memory type `cupy`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core import to_dtype
from hcs_cupy.devices import KIND, device_called, name_of, there
from hcs_operations.array_api_memory import ArrayApiMemory

HELD = frozenset({
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
})  # fmt: skip
"""The dtypes of numpy that CuPy has too."""


class CupyMemory(ArrayApiMemory):
    """Arrays of CuPy, all of them on GPUs: a `MemoryType` that has devices, and no CPU. Making one imports no cupy.

    Where CuPy is installed and finds no GPU, there is no device: a state, and no error.

    Examples
    --------
    >>> from hcs_cupy.memory import CupyMemory
    >>> CupyMemory().holds("uint16")
    'uint16'
    """

    def owns(self, array: object) -> bool:
        """Whether it is an array of CuPy."""
        # While another thread is importing cupy, it is there without what it will have.
        kind = getattr(sys.modules.get("cupy"), "ndarray", None)
        return kind is not None and isinstance(array, kind)

    def holds(self, dtype: str) -> str:
        """Return the dtype itself: CuPy computes in all of them."""
        return dtype if dtype in HELD else ""

    def from_host(self, array: npt.NDArray[Any], device: str = f"{KIND}:0") -> Any:
        """Return a copy on a device."""
        import cupy

        native = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
        with device_called(device):
            return cupy.asarray(native)

    def to_host(self, array: Any, dtype: str = "") -> npt.NDArray[Any]:
        """Return a copy as numpy's array."""
        host: npt.NDArray[Any] = array.get()
        return to_dtype(host, dtype) if dtype else host

    def devices(self) -> tuple[str, ...]:
        """Return the GPUs of this machine; none where there is none, or no driver."""
        return there()

    def device_of(self, array: Any) -> str:
        """Return the name of the device that an array is on."""
        return name_of(array)

    def to_device(self, array: Any, device: str) -> Any:
        """Return the array on a device."""
        import cupy

        if name_of(array) == device:
            return array
        with device_called(device):
            return cupy.array(array)

    def scope(self, device: str, dtype: str) -> AbstractContextManager[None]:  # noqa: ARG002 - all are what they are
        """Return what makes new arrays on the device."""
        return _scope(device)

    def free_bytes(self, device: str) -> int | None:
        """Return what is free on a device, with what CuPy's pool keeps of it though no array is in it."""
        import cupy

        with device_called(device):
            free, _ = cupy.cuda.runtime.memGetInfo()
            return int(free) + int(cupy.get_default_memory_pool().free_bytes())

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether it is the error that CuPy raises where a device has no room for an array."""
        memory = getattr(getattr(sys.modules.get("cupy"), "cuda", None), "memory", None)
        kind = getattr(memory, "OutOfMemoryError", None)
        return kind is not None and isinstance(error, kind)

    def release(self, device: str) -> None:
        """Give back to the driver what CuPy's pools keep of a device, and of the host beside it."""
        import cupy

        with device_called(device):
            cupy.get_default_memory_pool().free_all_blocks()
        cupy.get_default_pinned_memory_pool().free_all_blocks()

    def wait(self, array: Any) -> None:
        """Return when what was begun on an array's device is done."""
        with array.device:
            array.device.synchronize()


@contextmanager
def _scope(device: str) -> Iterator[None]:
    with device_called(device):
        yield
