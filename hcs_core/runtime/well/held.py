"""Planes on their way through a well: where each of them lies, and how it gets to where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from hcs_core.arrays.conversion import Converter
from hcs_core.arrays.memory_type import CPU, HOST


class Held:
    """A plane, or a stack of them, the memory type that it is in, and its image's dtype.

    It is held there in that dtype or a wider one. One that was made in a batch is a part of the batch's array, which
    is taken out when it is asked for: the next kernel of a batch may want the whole.
    """

    __slots__ = ("_array", "_batch", "_moved", "_place", "dtype", "memory_type")

    def __init__(self, array: Any, memory_type: str, dtype: str, place: int | None = None) -> None:
        self.memory_type = memory_type
        self.dtype = dtype
        self._array: Any = array if place is None else None
        self._batch: Any = None if place is None else array
        self._place = place
        self._moved: tuple[str, str, Any] | None = None

    @property
    def array(self) -> Any:
        """The array, in its memory type."""
        if self._array is None:
            self._array = self._batch[self._place]
            self._batch = None
        return self._array

    def parts(self, count: int) -> list[Held]:
        """Return the planes of a stack of so many."""
        array = self.array
        frame = array.shape[-2:]
        if array.shape != (count, *frame):
            array = array.reshape((count, *frame))
        return [Held(array, self.memory_type, self.dtype, place) for place in range(count)]

    def moved_to(self, memory_type: str, device: str) -> Any:
        """Return what it was moved to last, if it was moved there; `None` where it was not."""
        if self._moved is None or self._moved[:2] != (memory_type, device):
            return None
        return self._moved[2]

    def note_moved(self, memory_type: str, device: str, array: Any) -> None:
        """Remember what it was moved to, for others who want it there."""
        self._moved = (memory_type, device, array)

    def forget_moved(self) -> None:
        """Keep the plane where it lies only."""
        self._moved = None


def whole_batch(planes: Sequence[Held]) -> Any:
    """Return the array of which planes are all the parts, in their order; `None` where there is none."""
    batch = planes[0]._batch  # noqa: SLF001 - a part of this idea
    if batch is None or batch.shape[0] != len(planes):
        return None
    places = range(len(planes))
    is_whole = all(held._batch is batch and held._place == place for held, place in zip(planes, places, strict=True))  # noqa: SLF001
    return batch if is_whole else None


def on_host(array: npt.NDArray[Any]) -> Held:
    """Return a plane that is numpy's array."""
    return Held(array, HOST, array.dtype.name)


class Moves:
    """Gets planes to where they are wanted: each goes to one place once, however many want it there."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter

    def is_at(self, held: Held, memory_type: str, device: str) -> bool:
        """Whether a plane lies in a memory type, on a device."""
        if held.memory_type != memory_type:
            return False
        return memory_type == HOST or self._converter.device_of(held.array, memory_type) == device

    def at(self, held: Held, memory_type: str, device: str) -> Any:
        """Return a plane's array in a memory type, on a device."""
        if held.memory_type == memory_type == HOST:
            return held.array
        there = held.moved_to(memory_type, device)
        if there is None:
            there = self._converter.convert(held.array, held.memory_type, memory_type, held.dtype, device)
            if there is not held.array:
                held.note_moved(memory_type, device, there)
        return there

    def on_host(self, held: Held) -> npt.NDArray[Any]:
        """Return a plane as numpy's array."""
        array: npt.NDArray[Any] = self.at(held, HOST, CPU)
        return array
