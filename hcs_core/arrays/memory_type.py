"""An array library as hcs_core sees it: the `MemoryType` protocol, and what only some libraries have."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

HOST = "numpy"
"""The memory type in which planes come from readers and go to stores: numpy's arrays."""

CPU = "cpu"
"""The device that every machine has."""


def dtype_name(array: Any) -> str:
    """Return an array's dtype as numpy names it; the arrays of some libraries have one such as `torch.uint16`."""
    dtype = array.dtype
    return str(getattr(dtype, "name", "") or dtype).rpartition(".")[2]


@runtime_checkable
class MemoryType(Protocol):
    """Moves arrays between host memory and one array library; made without arguments.

    Making one, `owns` and `holds` import no library. An image of a dtype that the library cannot compute in is *held*
    in a wider one: it is widened when it comes from the host and narrowed when it goes back, and in between nothing
    is converted. So the dtype of an image goes with it, beside the array.

    Its arrays have a `shape` and a `dtype`, and one axis or more. Threads may share it. `MemoryTypeContract` of
    `hcs_core.testing` checks all that is said here.
    """

    def owns(self, array: object) -> bool:
        """Whether an array is this library's; asked without importing the library."""
        ...

    def holds(self, dtype: str) -> str:
        """Return the dtype in which an image of a dtype is held: itself, or a wider one; empty where it cannot be.

        Dtypes are named as numpy names them. Every value of the one is a value of the other.
        """
        ...

    def from_host(self, array: npt.NDArray[Any], device: str = CPU) -> Any:
        """Return the library's array with the content and shape of a numpy array, held as `holds` says, on a device.

        The array may be read-only, big-endian, empty or not contiguous. The result may share its memory, but that of
        a read-only array only where the library's cannot be written to either.
        """
        ...

    def to_host(self, array: Any, dtype: str = "") -> npt.NDArray[Any]:
        """Return a numpy array of the content and shape of the library's, in an image's dtype, of native byte order.

        An array that is held in a wider dtype is narrowed, and every value is one of that dtype. An empty `dtype` is
        the array's own. The result may share memory.
        """
        ...

    def cast(self, array: Any, dtype: str) -> Any:
        """Return an array of the library as an image of a dtype: held as `holds` says, on its device.

        By the one dtype policy (`hcs_core.arrays.dtype_policy`): what becomes an integer is rounded half to even and
        clipped at the ends of `dtype`, also where that is held in a wider one; NaN becomes 0. The array itself where
        there is nothing to do. Numbers below the normal ones of a float dtype may be taken for 0.
        """
        ...

    def stack(self, planes: Sequence[Any]) -> Any:
        """Return arrays of one shape, dtype and device as one, along a new first axis; `None` stands for zeros.

        At least one of them is an array.
        """
        ...

    def nonfinite(self, array: Any) -> int:
        """Return how many values of an array of floats are NaN or infinite; of other dtypes none is.

        It is asked of planes that have none, nearly always: a sum that is finite says so at a fraction of the price.
        """
        ...


@runtime_checkable
class HasDevices(Protocol):
    """A `MemoryType` with devices of its own; one without these methods has the CPU alone."""

    def devices(self) -> tuple[str, ...]:
        """Return the devices that this machine has now, the best first, such as `("cuda:0", "cuda:1", "cpu")`.

        None where the library is there and finds no device. One device has one name in all libraries.
        """
        ...

    def device_of(self, array: Any) -> str:
        """Return the device that an array of the library is on."""
        ...

    def to_device(self, array: Any, device: str) -> Any:
        """Return an array of the library on one of its devices; the array itself where it is there already."""
        ...

    def scope(self, device: str, dtype: str) -> AbstractContextManager[None]:
        """Return what is entered around each call of a function, with the device and its image's dtype.

        Within, new arrays are made on the device, and arrays of the dtype (64 bits, too) are what they are.
        """
        ...

    def free_bytes(self, device: str) -> int | None:
        """Return the memory that is free on a device now; `None` where the library does not know (the CPU's)."""
        ...

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether an error of the library says that a device's memory is full."""
        ...

    def release(self, device: str) -> None:
        """Give memory back that the library keeps on a device though no array is in it."""
        ...


@runtime_checkable
class HasQueue(Protocol):
    """A `MemoryType` that puts work into a queue of a device and returns; without it, what is returned is there.

    Nothing in a run waits but what needs the pixels. Whoever measures how long something takes has to.
    """

    def wait(self, array: Any) -> None:
        """Return when an array's content is there."""
        ...


def devices_there(memory: MemoryType) -> tuple[str, ...]:
    """Return the devices that a memory type finds on this machine: the CPU alone where it has none of its own."""
    return tuple(memory.devices()) if isinstance(memory, HasDevices) else (CPU,)
