"""An array library as hcs_core sees it: the `MemoryType` protocol."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt


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
