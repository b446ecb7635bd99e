"""What comes through a memory type as it was: a part of `MemoryTypeContract`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from hcs_core.arrays.marks import HasMarks
from hcs_core.arrays.memory_type import dtype_name
from hcs_core.errors import one_line
from hcs_core.plugins.specs import MemoryTypeSpec
from hcs_core.testing.contracts.memory_type_calls import (
    MemoryTypeCalls,
    Pixels,
    content,
    differs,
    held_by,
    same,
    told,
    values,
)

Case = tuple[MemoryTypeSpec, str]


def _read_only(array: Pixels) -> Pixels:
    array.flags.writeable = False
    return array


def _unaligned(array: Pixels) -> Pixels:
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    moved = buffer[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved


LAYOUTS: dict[str, Callable[[Pixels], Pixels]] = {
    "upside down": lambda array: array[::-1],
    "mirrored": lambda array: array[:, ::-1],
    "every other row": lambda array: array[::2],
    "every third column": lambda array: array[:, 1::3],
    "transposed": lambda array: array.T,
    "one row repeated": lambda array: np.broadcast_to(array[:1], array.shape),
    "cut out": lambda array: array[1:3, 2:5],
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "read-only": _read_only,
    "at an odd address": _unaligned,
    "without rows": lambda array: array[:0],
    "without columns": lambda array: array[:, :0],
    "a line": lambda array: array[0],
    "of three axes": lambda array: array[:4].reshape(2, 2, -1),
}
LAID_OUT = ("bool", "uint8", "uint16", "int32", "float16", "float32", "float64")
"""The dtypes of which every layout is tried."""


class MemoryTypeContent(MemoryTypeCalls):
    """See `MemoryTypeContract`."""

    def test_a_round_trip_is_exact(self, device: Case) -> None:
        """Every bit of every dtype that it holds: NaN, infinities, -0.0, the ends of integers."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            back = memory.to_host(memory.from_host(values(dtype), place), dtype)
            assert same(back, values(dtype)), (
                f"to_host(from_host(array), dtype) is the array: of {dtype} {device[0].name} gave "
                f"{differs(back, values(dtype))}; widen to a dtype that holds every value, and narrow by to_dtype."
            )

    def test_without_a_dtype_to_host_gives_the_array_s_own(self, device: Case) -> None:
        """That in which it is held, in the byte order of the machine."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            array = memory.from_host(values(dtype), place)
            back, expected = memory.to_host(array), values(dtype).astype(dtype_name(array))
            assert same(back, expected), (
                f"to_host without a dtype gives the array in its own: of {dtype}, which is there in "
                f"{expected.dtype}, {device[0].name} gave {differs(back, expected)}."
            )

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_an_array_of_any_layout_comes_through(self, device: Case, layout: str) -> None:
        """Cropped, flipped, transposed, repeated, empty, read-only, big-endian, and at addresses of any kind."""
        memory, place = self._placed(device)
        for dtype in filter(memory.holds, LAID_OUT):
            try:
                back: Any = content(memory, memory.from_host(LAYOUTS[layout](values(dtype)), place), dtype)
            # Whatever a library says of a layout is what this is about.
            except Exception as error:  # noqa: BLE001
                back = one_line(error)
            expected = LAYOUTS[layout](values(dtype)).astype(dtype)
            found = back if isinstance(back, str) else differs(back, expected)
            assert same(back, expected), (
                f"from_host takes an array of any layout: of one that is {layout} ({dtype}), {device[0].name} made "
                f"{found}; begin with np.ascontiguousarray(array, array.dtype.newbyteorder('=')) where the library "
                "needs it."
            )

    def test_the_host_s_array_is_left_as_it_was(self, device: Case) -> None:
        """Others read the same plane."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            array = values(dtype)
            there = memory.from_host(array, place)
            memory.cast(there, "float32")
            memory.to_host(there, dtype)
            assert same(array, values(dtype)), (
                f"the numpy array stays as it was: {device[0].name} changes one of {dtype}; copy before anything is "
                "written."
            )

    def test_the_library_s_array_is_left_as_it_was(self, device: Case) -> None:
        """To look at it, to cast it or to stack it changes nothing of it."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            array = memory.from_host(values(dtype), place)
            for wanted in filter(memory.holds, ("uint8", "float32")):
                memory.to_host(memory.cast(array, wanted), wanted)
            memory.stack([array, None, array])
            memory.nonfinite(array)
            back = content(memory, array, dtype)
            assert same(back, values(dtype)), (
                f"cast, stack, nonfinite and to_host leave the array as it was: {device[0].name} changes one of "
                f"{dtype}: it is {differs(back, values(dtype))}; work on a new one."
            )

    def test_a_stack_has_its_planes_in_order(self, device: Case) -> None:
        """Along a new first axis, zeros for `None`, in the dtype that they are held in."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            plane = values(dtype)
            for given in ([plane, None, plane[::-1]], [None, plane], [plane], [plane[:0], None]):
                shape = next(one for one in given if one is not None).shape
                expected = np.stack([np.zeros(shape, dtype) if one is None else one for one in given])
                arrays = [None if one is None else memory.from_host(one.copy(), place) for one in given]
                stack = memory.stack(arrays)
                back = content(memory, stack, dtype)
                kept = {dtype_name(array) for array in (stack, *arrays) if array is not None}
                assert same(back, expected) and len(kept) == 1, (  # noqa: PT018 - one rule
                    f"stack puts planes along a new first axis, zeros for None, in their dtype: of {len(given)} "
                    f"planes of {dtype} {device[0].name} made {dtype_name(stack)}, {differs(back, expected)}."
                )

    def test_it_counts_nan_and_infinities(self, device: Case) -> None:
        """Of floats; no integer is one, and an empty array has none."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            array = values(dtype)
            for picture in (array, array[:0], np.zeros_like(array)):
                expected = int(np.count_nonzero(~np.isfinite(picture)))
                found = memory.nonfinite(memory.from_host(picture.copy(), place))
                assert (type(found), found) == (int, expected), (
                    f"nonfinite returns how many values are NaN or infinite, as an int: of {told(picture)} with "
                    f"{expected} {device[0].name} says {found!r}."
                )

    def test_what_is_read_only_is_never_written_to(self, device: Case) -> None:
        """An array of the library shares no memory that the host's may not be written in, unless neither may be."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            array = _read_only(values(dtype))
            self._write(partial(memory.from_host, array, place))
            assert same(array, values(dtype)), (
                f"what is made of a read-only array cannot change it: what is written into {device[0].name}'s array "
                f"of {dtype} is in the host's; copy where the library has no read-only arrays."
            )

    def test_a_stack_has_memory_of_its_own(self, device: Case) -> None:
        """A stack of one, too: it is how a copy is made for a function that may write into it."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            array = memory.from_host(values(dtype), place)
            self._write(partial(memory.stack, [array]))
            back = content(memory, array, dtype)
            assert same(back, values(dtype)), (
                f"stack returns a new array: what is written into a stack of one is in {device[0].name}'s plane of "
                f"{dtype}: it is {differs(back, values(dtype))}; copy."
            )

    def test_a_mark_tells_of_writes_and_of_nothing_else(self, device: Case) -> None:
        """One that is a part of the array counts as well; where nothing can be written, one mark does."""
        memory, place = self._placed(device)
        if not isinstance(memory, HasMarks):
            pytest.skip(f"{device[0].name} has no marks: functions of users' own get copies")
        for dtype in held_by(memory):
            array = memory.from_host(values(dtype), place)
            before = memory.mark(array)
            memory.to_host(memory.cast(array, "uint8"), "uint8")
            memory.nonfinite(memory.stack([array, None]))
            found = ["to read it changes its mark"] if memory.mark(array) != before else []
            for part in (..., slice(1, 3)):
                before = memory.mark(array)
                # What has no parts cannot be written to by part.
                written = hasattr(array, "__setitem__") and self._write(partial(operator.getitem, array, part))
                if written and before is not None and memory.mark(array) == before:
                    found.append("a write does not change its mark")
            assert not found, (
                f"an array's mark is another after a write, and only then: of {dtype} in {device[0].name} "
                f"{found[0]}; return None where the library cannot tell."
            )

    def test_it_owns_its_arrays_and_no_others(self, device: Case) -> None:
        """Neither numpy's, unless that is what it is, nor lists, nor nothing."""
        memory, place = self._placed(device)
        array = memory.from_host(values("float32"), place)
        others: list[object] = [None, [1, 2], 1.0, "array", object(), np.float32(1), memoryview(b"12")]
        if not isinstance(array, np.ndarray):
            others.append(np.zeros(2))
        wrong = [type(one).__name__ for one in others if memory.owns(one) is not False]
        assert memory.owns(array) is True and not wrong, (  # noqa: PT018 - one rule
            f"owns is True for the library's own arrays and False for anything else: {device[0].name} says "
            f"{memory.owns(array)} of its own, and takes {', '.join(wrong) or 'nothing else'} for one."
        )
