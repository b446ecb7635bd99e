"""A memory type that no array library has: its arrays are wrapped, and every conversion is counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import numpy.typing as npt


@attrs.frozen(eq=False)
class FakeArray:
    """An array of the memory type `fake`: nothing that takes a numpy array takes it by mistake."""

    values: npt.NDArray[Any]


class FakeMemoryType:
    """The memory type `fake`; `conversions` counts the calls of `from_host` and of `to_host`.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_core.testing import FakeMemoryType
    >>> memory = FakeMemoryType()
    >>> memory.to_host(memory.from_host(np.zeros(2))).tolist()
    [0.0, 0.0]
    >>> memory.conversions["to_host"]
    1
    """

    def __init__(self) -> None:
        self.conversions: Counter[str] = Counter()

    def owns(self, array: object) -> bool:
        """Whether it is a `FakeArray`."""
        return isinstance(array, FakeArray)

    def from_host(self, array: npt.NDArray[Any]) -> FakeArray:
        """Wrap a numpy array."""
        self.conversions["from_host"] += 1
        return FakeArray(array)

    def to_host(self, array: FakeArray) -> npt.NDArray[Any]:
        """Unwrap it."""
        self.conversions["to_host"] += 1
        return array.values
