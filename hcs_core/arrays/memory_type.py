"""An array library as hcs_core sees it: the `MemoryType` protocol."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

CPU = "cpu"
"""The device that every machine has."""


@runtime_checkable
class MemoryType(Protocol):
    """Moves arrays between host memory and one array library; made without arguments."""

    def owns(self, array: object) -> bool:
        """Whether an array is this library's; asked without importing the library."""
        ...

    def from_host(self, array: npt.NDArray[Any]) -> Any:
        """Return the library's array with the content, shape and dtype of a numpy array."""
        ...

    def to_host(self, array: Any) -> npt.NDArray[Any]:
        """Return a numpy array with the content, shape and dtype of the library's array."""
        ...


@runtime_checkable
class HasDevices(Protocol):
    """A `MemoryType` whose arrays can lie on other devices than `cpu`; one without these methods has that alone."""

    def devices(self) -> tuple[str, ...]:
        """Return the devices that this machine has now, the best first, such as `("cuda:0", "cuda:1", "cpu")`.

        None where the library is there and finds no device.
        """
        ...

    def to_device(self, array: Any, device: str) -> Any:
        """Return an array of the library on one of its devices; the array itself where it is there already."""
        ...
