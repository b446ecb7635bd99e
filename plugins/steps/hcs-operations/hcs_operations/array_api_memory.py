"""What the memory types of all libraries that follow the array API have alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from array_api_compat import array_namespace

from hcs_operations.portable.dtypes import limits, name_of, to_image


class ArrayApiMemory(ABC):
    """A base of `hcs_core.MemoryType`s: what needs nothing but the array API is written here once.

    A memory type adds `owns`, `holds`, `from_host` and `to_host`, and devices where its library has some. Importing
    this module imports no array library.
    """

    @abstractmethod
    def holds(self, dtype: str) -> str:
        """Return the dtype in which an image of a dtype is held: itself, or a wider one; empty where it cannot be."""

    def cast(self, array: Any, dtype: str) -> Any:
        """Return an array as an image of a dtype: rounded and clipped where that is an integer, held as `holds` says.

        Raises
        ------
        ValueError
            The library holds no image of that dtype.
        """
        held = self.holds(dtype)
        if not held:
            raise ValueError(f"{type(self).__name__} holds no image of dtype {dtype!r}.")
        name = name_of(array.dtype)
        if name == held and (held == dtype or limits(held) is None):
            return array
        xp = array_namespace(array)
        return to_image(array, xp, dtype, getattr(xp, held))

    def stack(self, planes: Sequence[Any]) -> Any:
        """Return arrays of one shape and dtype as one, along a new first axis; `None` stands for zeros."""
        first = next(plane for plane in planes if plane is not None)
        xp = array_namespace(first)
        dark = xp.zeros_like(first) if any(plane is None for plane in planes) else None
        return xp.stack([dark if plane is None else plane for plane in planes])

    def nonfinite(self, array: Any) -> int:
        """Return how many values of an array of floats are NaN or infinite; of other dtypes none is."""
        xp = array_namespace(array)
        if not xp.isdtype(array.dtype, ("real floating", "complex floating")):
            return 0
        # No sum of what is NaN or infinite is finite, and to sum is the faster by far.
        if bool(xp.isfinite(xp.sum(array))):
            return 0
        return int(xp.sum(xp.astype(~xp.isfinite(array), xp.int32)))
