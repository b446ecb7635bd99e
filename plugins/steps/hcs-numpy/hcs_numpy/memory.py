"""The memory type `numpy`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class NumpyMemory:
    """Ordinary numpy arrays in host memory: an `hcs_core.MemoryType` in which nothing has to move.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.memory import NumpyMemory
    >>> image = np.zeros((2, 3), np.uint16)
    >>> NumpyMemory().to_host(NumpyMemory().from_host(image)) is image
    True
    """

    def owns(self, array: object) -> bool:
        """Whether it is a numpy array."""
        return isinstance(array, np.ndarray)

    def from_host(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the array itself."""
        return array

    def to_host(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the array itself."""
        return array
