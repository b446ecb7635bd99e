"""What a memory type with devices of its own has to keep: a part of `MemoryTypeContract`."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from hcs_core.arrays.memory_type import HasDevices, dtype_name
from hcs_core.errors import one_line
from hcs_core.plugins.specs import MemoryTypeSpec
from hcs_core.testing.contracts.memory_type_calls import (
    WIDE,
    MemoryTypeCalls,
    content,
    differs,
    held_by,
    same,
    values,
)

Case = tuple[MemoryTypeSpec, str]

_NAME = re.compile(r"cpu|[a-z]+:\d+")


class _FromWithinError(Exception):
    """Raised in a scope, to see that it comes out."""


class MemoryTypeDevices(MemoryTypeCalls):
    """See `MemoryTypeContract`."""

    def test_devices_have_names_that_others_know(self, spec: MemoryTypeSpec) -> None:
        """`cpu`, `cuda:0`, `cuda:1`: a kind and a number, each once."""
        memory = self._memory(spec)
        found: Any = memory.devices() if isinstance(memory, HasDevices) else ()
        odd = [name for name in found if not isinstance(name, str) or not _NAME.fullmatch(name)]
        assert isinstance(found, tuple) and not odd and len(set(found)) == len(found), (  # noqa: PT018 - one rule
            f"devices returns a tuple of names, each once, such as ('cuda:0', 'cpu'): {spec.name} returns {found!r}."
        )

    def test_an_array_is_on_the_device_that_was_asked_for(self, at: Case) -> None:
        """Whether it comes from the host or from another device, with the same content."""
        devices, memory, place = self._there(at)
        array = values("float32")
        for source in devices.devices():
            there = memory.from_host(array, source)
            moved = devices.to_device(there, place)
            found = (devices.device_of(there), devices.device_of(moved))
            back = content(memory, moved, "float32")
            assert found == (source, place) and same(back, array), (  # noqa: PT018 - one rule
                f"from_host and to_device put an array on the device that they are told: from {source} to {place} "
                f"{at[0].name} says that it is on {' and then on '.join(found)}, with {differs(back, array)}."
            )

    def test_to_device_returns_what_is_there_already(self, at: Case) -> None:
        """Nothing is copied."""
        devices, memory, place = self._there(at)
        array = memory.from_host(values("float32"), place)
        assert devices.to_device(array, place) is array, (
            f"to_device returns the array itself where it is there already: {at[0].name} makes another on {place}."
        )

    def test_what_is_made_of_an_array_stays_on_its_device(self, at: Case) -> None:
        """`cast` and `stack` move nothing."""
        devices, memory, place = self._there(at)
        array = memory.from_host(values("float32"), place)
        found = {
            "cast": devices.device_of(memory.cast(array, "uint16")),
            "stack": devices.device_of(memory.stack([None, array])),
        }
        wrong = [f"{name} makes one on {device}" for name, device in found.items() if device != place]
        assert not wrong, f"what is made of an array on {place} stays there: of {at[0].name} {', '.join(wrong)}."

    def test_within_a_scope_64_bits_stay_64_bits(self, at: Case) -> None:
        """A function of an image of 64 bits computes in them, on its device; of others in theirs."""
        devices, memory, place = self._there(at)
        for dtype in held_by(memory):
            low, high = (0, 1) if dtype == "bool" else (1, 2**40 if dtype in WIDE else 100)
            array = np.array([[low, high]]).astype(dtype)
            with devices.scope(place, dtype):
                result = self.doubled(memory.from_host(array, place))
            found = (dtype_name(result), devices.device_of(result))
            back = memory.to_host(result)
            right = dtype == "bool" or (
                found[0] == memory.holds(dtype) and (back == array.astype(back.dtype) * 2).all()
            )
            assert right and found[1] == place, (  # noqa: PT018 - one rule
                f"within scope(device, dtype) arrays of the dtype stay what they are: {at[0].name} makes {found[0]} "
                f"on {found[1]} of twice an array of {dtype} on {place}; enable 64 bits where the dtype has them."
            )

    def test_an_error_comes_out_of_a_scope(self, at: Case) -> None:
        """What a function raises is told to whoever called it."""
        devices, _, place = self._there(at)
        came_out = False
        try:
            with devices.scope(place, "float64"):
                _fail()
        except _FromWithinError:
            came_out = True
        assert came_out, f"an error comes out of a scope: {at[0].name} keeps it; let __exit__ return None."

    def test_ordinary_errors_say_nothing_of_memory(self, spec: MemoryTypeSpec) -> None:
        """Only a full device is tried again with less."""
        memory = self._memory(spec)
        errors = (
            ValueError("shapes (2,) and (3,) differ"),
            RuntimeError("no kernel image is available"),
            KeyError("memory"),
            TypeError("out= must be an array"),
            OSError("No space left on device"),
        )
        taken = [one_line(error) for error in errors if isinstance(memory, HasDevices) and _is_full(memory, error)]
        assert not taken, (
            f"is_out_of_memory is True where a device's memory is full, and False for anything else: {spec.name} "
            f"takes {taken[0]} for it; ask for the library's own class."
        )

    def test_free_memory_is_a_number_or_not_known(self, at: Case) -> None:
        """In bytes, 0 or more."""
        devices, _, place = self._there(at)
        free = devices.free_bytes(place)
        assert free is None or (type(free) is int and free >= 0), (
            f"free_bytes returns the bytes that are free, or None: of {place} {at[0].name} returns {free!r}."
        )

    def test_to_release_memory_leaves_arrays_as_they_are(self, at: Case) -> None:
        """What is still used stays."""
        devices, memory, place = self._there(at)
        array = memory.from_host(values("float32"), place)
        devices.release(place)
        back = content(memory, array, "float32")
        assert same(back, values("float32")), (
            f"release gives back what no array is in: of an array on {place} {at[0].name} leaves "
            f"{differs(back, values('float32'))}."
        )


def _fail() -> None:
    raise _FromWithinError


def _is_full(memory: HasDevices, error: Exception) -> bool:
    return memory.is_out_of_memory(error) is not False
