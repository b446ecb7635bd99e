"""A memory type that no array library has: its arrays are wrapped, and every conversion is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.arrays.dtype_policy import to_dtype
from hcs_core.arrays.memory_type import CPU


@attrs.frozen(eq=False)
class FakeArray:
    """An array of the memory type `fake`: nothing that takes a numpy array takes it by mistake."""

    values: npt.NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its dtype."""
        return self.values.dtype

    def __getitem__(self, place: Any) -> FakeArray:
        return FakeArray(self.values[place])

    def __add__(self, other: FakeArray) -> FakeArray:
        return FakeArray(self.values + other.values)


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

    def holds(self, dtype: str) -> str:
        """Return the dtype itself."""
        return dtype

    def from_host(self, array: npt.NDArray[Any], device: str = CPU) -> FakeArray:  # noqa: ARG002
        """Wrap a numpy array."""
        self.conversions["from_host"] += 1
        return FakeArray(to_dtype(array, array.dtype.name))

    def to_host(self, array: FakeArray, dtype: str = "") -> npt.NDArray[Any]:
        """Unwrap it."""
        self.conversions["to_host"] += 1
        return to_dtype(array.values, dtype) if dtype else array.values

    def cast(self, array: FakeArray, dtype: str) -> FakeArray:
        """Return the array in a dtype."""
        values = to_dtype(array.values, dtype)
        return array if values is array.values else FakeArray(values)

    def stack(self, planes: Sequence[FakeArray | None]) -> FakeArray:
        """Return arrays as one."""
        first = next(plane.values for plane in planes if plane is not None)
        return FakeArray(np.stack([np.zeros_like(first) if plane is None else plane.values for plane in planes]))

    def nonfinite(self, array: FakeArray) -> int:
        """Return how many values are NaN or infinite."""
        return int(np.count_nonzero(~np.isfinite(array.values)))

    def mark(self, array: FakeArray) -> object:
        """Return its bytes."""
        return array.values.tobytes()
