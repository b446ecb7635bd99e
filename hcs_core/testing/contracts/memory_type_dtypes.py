"""In which dtypes a memory type holds images, and what becomes of one in another: a part of `MemoryTypeContract`."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from hcs_core.arrays.dtype_policy import to_dtype
from hcs_core.arrays.memory_type import dtype_name
from hcs_core.errors import one_line
from hcs_core.plugins.signature import DTYPES
from hcs_core.plugins.specs import MemoryTypeSpec
from hcs_core.testing.contracts.memory_type_calls import (
    MemoryTypeCalls,
    Pixels,
    content,
    differs,
    held_by,
    same,
    values,
)

Case = tuple[MemoryTypeSpec, str]

MUST = ("uint8", "uint16", "float32")
"""The dtypes of images that every operation takes, unless it says otherwise."""


class MemoryTypeDtypes(MemoryTypeCalls):
    """See `MemoryTypeContract`."""

    def test_it_holds_what_images_are(self, spec: MemoryTypeSpec) -> None:
        """uint8, uint16 and float32 at least; of the others it may say that it holds them not."""
        memory = self._memory(spec)
        without = [dtype for dtype in MUST if not memory.holds(dtype)]
        assert not without, (
            f"every memory type holds {', '.join(MUST)}: {spec.name} does not hold {', '.join(without)}; return the "
            "name of a wider dtype that the library computes in."
        )

    def test_what_it_holds_a_dtype_in_has_room_for_every_value(self, spec: MemoryTypeSpec) -> None:
        """Itself or a wider one, which is held as itself."""
        memory = self._memory(spec)
        for dtype in held_by(memory):
            held = memory.holds(dtype)
            roomy = held in DTYPES and np.can_cast(dtype, held, "safe") and memory.holds(held) == held
            assert roomy, (
                f"holds names a dtype with room for every value, which is held as itself: {spec.name} holds {dtype} "
                f"in {held!r}; return a wider one, or '' where there is none."
            )

    def test_a_dtype_that_nobody_knows_is_not_held(self, spec: MemoryTypeSpec) -> None:
        """It is asked of what files say, too."""
        memory = self._memory(spec)
        unknown = ("complex64", "float8", "object", "str", "")
        wrong = [dtype for dtype in unknown if memory.holds(dtype) not in {"", dtype}]
        assert not wrong, f"holds returns '' for what it does not know: {spec.name} says {memory.holds(wrong[0])!r}."

    def test_arrays_have_the_dtype_that_it_says(self, device: Case) -> None:
        """`from_host` widens, once, where `holds` says so."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            found = dtype_name(memory.from_host(values(dtype), place))
            assert found == memory.holds(dtype), (
                f"from_host returns the dtype that holds says: of {dtype} {device[0].name} makes {found}, it says "
                f"{memory.holds(dtype)!r}; convert it, in a context that allows 64 bits where there is one."
            )

    def test_a_cast_follows_the_one_policy(self, device: Case) -> None:
        """Rounded half to even, clipped at the ends, 0 for NaN: what `to_dtype` does of the same values.

        Numbers below the normal ones are left out: many devices take them for 0.
        """
        memory, place = self._placed(device)
        for dtype, wanted in itertools.product(held_by(memory), repeat=2):
            array = _normal(values(dtype))
            cast = memory.cast(memory.from_host(array.copy(), place), wanted)
            found, expected = content(memory, cast, wanted), to_dtype(array, wanted)
            assert same(found, expected) and dtype_name(cast) == memory.holds(wanted), (  # noqa: PT018 - one rule
                f"cast follows the one dtype policy (hcs_core.to_dtype): of {dtype} to {wanted} {device[0].name} "
                f"makes {dtype_name(cast)}, {differs(found, expected)}; round half to even, clip at the ends of "
                f"{wanted}, let NaN be 0 in integers."
            )

    def test_a_cast_of_an_empty_array_is_empty(self, device: Case) -> None:
        """Nothing is rounded, nothing fails."""
        memory, place = self._placed(device)
        for wanted in held_by(memory):
            expected = np.zeros((0, 8), wanted)
            try:
                found: Any = content(
                    memory, memory.cast(memory.from_host(np.zeros((0, 8), np.float32), place), wanted), wanted
                )
            # Whatever a library says of nothing is what this is about.
            except Exception as error:  # noqa: BLE001
                found = one_line(error)
            said = found if isinstance(found, str) else differs(found, expected)
            assert same(found, expected), (
                f"cast takes an empty array: {device[0].name} makes {said} of one to {wanted}."
            )

    def test_a_cast_of_what_is_right_is_the_array_itself(self, device: Case) -> None:
        """Nothing is copied where a dtype is held as itself."""
        memory, place = self._placed(device)
        for dtype in held_by(memory):
            array = memory.from_host(values(dtype), place)
            assert memory.holds(dtype) != dtype or memory.cast(array, dtype) is array, (
                f"cast returns the array itself where there is nothing to do: {device[0].name} makes another of "
                f"{dtype}; look at its dtype first."
            )


def _normal(array: Pixels) -> Pixels:
    """Return an array with 0 in place of numbers so small that they have fewer digits."""
    if array.dtype.kind == "f":
        array[np.abs(array) < np.finfo(array.dtype).smallest_normal] = 0
    return array
