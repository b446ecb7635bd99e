"""Planes on their way through a well: where each of them lies, and how it gets to where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy.typing as npt

from hcs_core.arrays.conversion import Converter
from hcs_core.arrays.memory_type import CPU, HOST, HasDevices


@attrs.define(eq=False)
class Whole:
    """An array of several planes along its first axis, and the same on the host once somebody wanted it there."""

    array: Any
    on_host: npt.NDArray[Any] | None = None


class Held:
    """A plane, or a stack of them, the memory type that it is in, and its image's dtype.

    It is held there in that dtype or a wider one. One that was made with others is a part of a whole, and is taken
    out of it when it is asked for: the next kernel of a batch may want the whole.
    """

    __slots__ = ("_array", "_moved", "_place", "_whole", "dtype", "memory_type")

    def __init__(self, array: Any, memory_type: str, dtype: str) -> None:
        self.memory_type = memory_type
        self.dtype = dtype
        self._array = array
        self._whole: Whole | None = None
        self._place = 0
        self._moved: tuple[str, str, Any] | None = None

    @classmethod
    def parts_of(cls, array: Any, memory_type: str, dtype: str) -> list[Held]:
        """Return the planes, or stacks, that an array has along its first axis."""
        whole, parts = Whole(array), []
        for place in range(array.shape[0]):
            part = cls(None, memory_type, dtype)
            part._whole, part._place = whole, place
            parts.append(part)
        return parts

    @property
    def array(self) -> Any:
        """The array, in its memory type."""
        if self._whole is not None:
            self._array = self._whole.array[self._place]
            self._whole = None
        return self._array

    @property
    def whole(self) -> Whole | None:
        """What it is a part of, until it is taken out."""
        return self._whole

    @property
    def place(self) -> int:
        """Where in its whole it is."""
        return self._place

    def planes(self, count: int) -> list[Held]:
        """Return the planes of a stack of so many."""
        array, frame = self.array, self.array.shape[-2:]
        flat = array if array.shape == (count, *frame) else array.reshape((count, *frame))
        return Held.parts_of(flat, self.memory_type, self.dtype)

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


def whole_of(planes: Sequence[Held]) -> Any:
    """Return the array of which planes are all the parts, in their order; `None` where there is none."""
    whole = planes[0].whole if planes else None
    if whole is None or whole.array.shape[0] != len(planes):
        return None
    together = all(held.whole is whole and held.place == place for place, held in enumerate(planes))
    return whole.array if together else None


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
        lies_in = held.array if held.whole is None else held.whole.array
        return memory_type == HOST or self._converter.device_of(lies_in, memory_type) == device

    def at(self, held: Held, memory_type: str, device: str) -> Any:
        """Return a plane's array in a memory type, on a device."""
        if held.memory_type == memory_type == HOST:
            return held.array
        there = held.moved_to(memory_type, device)
        if there is None:
            there = self._moved(held, memory_type, device)
        return there

    def on_host(self, held: Held) -> npt.NDArray[Any]:
        """Return a plane as numpy's array."""
        array: npt.NDArray[Any] = self.at(held, HOST, CPU)
        return array

    def _moved(self, held: Held, memory_type: str, device: str) -> Any:
        whole = held.whole
        if memory_type == HOST and whole is not None:
            # All parts at once: those of one call go the same way, and taking one out may need memory of the device.
            if whole.on_host is None:
                whole.on_host = self._to_host(whole.array, held)
            return whole.on_host[held.place]
        if memory_type == HOST:
            there = self._to_host(held.array, held)
        else:
            there = self._converter.convert(held.array, held.memory_type, memory_type, held.dtype, device)
        if there is not held.array:
            held.note_moved(memory_type, device, there)
        return there

    def _to_host(self, array: Any, held: Held) -> Any:
        """Return an array on the host; a device that is full meanwhile gives back first what its library keeps."""
        memory = self._converter.memory_type(held.memory_type)
        try:
            return self._converter.convert(array, held.memory_type, HOST, held.dtype)
        except Exception as error:
            if not (isinstance(memory, HasDevices) and memory.is_out_of_memory(error)):
                raise
        # Here, the error and the arrays of its frames are gone.
        memory.release(memory.device_of(array))
        return self._converter.convert(array, held.memory_type, HOST, held.dtype)
