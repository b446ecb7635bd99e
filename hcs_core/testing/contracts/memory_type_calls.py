"""How memory types come under their contract: which test is about which, on which device, and with what arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.arrays.memory_type import HasDevices, MemoryType, devices_there, dtype_name
from hcs_core.plugins.signature import DTYPES
from hcs_core.plugins.specs import MemoryTypeSpec
from hcs_core.testing.contracts.targets import made

Pixels = npt.NDArray[Any]

WIDE = ("int64", "uint64", "float64")
"""The dtypes of 64 bits."""


class MemoryTypeCalls:
    """See `MemoryTypeContract` for the attributes."""

    memory_types: ClassVar[Sequence[MemoryTypeSpec]]
    doubled: ClassVar[staticmethod[[Any], Any]] = staticmethod(lambda array: array + array)
    by_default: ClassVar[Callable[[], Any] | None] = None
    default_dtype: ClassVar[str] = "float32"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each memory type that it is about, and for each device where it asks for one.

        A test about `spec` is about all of them, one about `device` about those of each, and one about `at` about
        the devices of those that are more than the CPU.
        """
        if "spec" in metafunc.fixturenames:
            metafunc.parametrize("spec", self.memory_types, ids=lambda spec: spec.name)
        for name in ("device", "at"):
            if name in metafunc.fixturenames:
                cases = [
                    pytest.param((spec, device), id=f"{spec.name}-{device}")
                    for spec in self.memory_types
                    for device in (devices_there(made(spec)) if name == "device" else _own_devices(made(spec)))
                ]
                none = pytest.mark.skip(reason="no device of these memory types is on this machine")
                metafunc.parametrize(name, cases or [pytest.param(None, marks=none)])

    def _memory(self, spec: MemoryTypeSpec) -> MemoryType:
        memory: MemoryType = made(spec)
        return memory

    def _write(self, made: Callable[[], Any]) -> bool:
        """Write twice an array, and one more, into one that is made; whether that was possible."""
        try:
            array = made()
            array[...] = self.doubled(array) + 1 if dtype_name(array) != "bool" else ~array
        # Whatever a library says of a write that it has not.
        except Exception:  # noqa: BLE001
            return False
        return True

    def _placed(self, case: tuple[MemoryTypeSpec, str]) -> tuple[MemoryType, str]:
        """Return a memory type and the device that a test is about."""
        spec, device = case
        return self._memory(spec), device

    def _there(self, case: tuple[MemoryTypeSpec, str]) -> tuple[HasDevices, MemoryType, str]:
        """Return a memory type with devices, by both of its protocols, and the device that a test is about."""
        memory, device = self._placed(case)
        assert isinstance(memory, HasDevices)
        return memory, memory, device


def _own_devices(memory: MemoryType) -> tuple[str, ...]:
    return tuple(memory.devices()) if isinstance(memory, HasDevices) else ()


def held_by(memory: MemoryType) -> list[str]:
    """Return the dtypes that a memory type holds."""
    return [dtype for dtype in DTYPES if memory.holds(dtype)]


def values(dtype: str) -> Pixels:
    """Return a new array with all that could go wrong in a dtype; see `_values`."""
    return _values(dtype).copy()


@functools.cache
def _values(dtype: str) -> Pixels:
    """Return an array of a dtype in which all is that could go wrong, as (rows, 8).

    The ends of its own range and of those of all integers, numbers half-way between two, the smallest that there are,
    NaN and infinities, and noise.
    """
    kind = np.dtype(dtype).kind
    generator = np.random.default_rng(5)
    if kind == "b":
        return generator.integers(0, 2, (6, 8)).astype(dtype)
    ends = [int(end) for name in DTYPES if name[-1].isdigit() and "int" in name for end in _ends(name)]
    if kind in "iu":
        low, high = _ends(dtype)
        whole = [end for end in [*ends, *range(-3, 4), *(end // 2 for end in ends)] if low <= end <= high]
        noise = generator.integers(low, high, 40, dtype=dtype, endpoint=True)
        return _rows(np.concatenate([np.array(whole, dtype), noise]))
    halves = [number + 0.5 for number in (*range(-4, 5), 126, 127, 254, 255, 32_766, 65_534, 65_535)]
    odd = [0.0, -0.0, 1e-3, -1e-3, 0.49999997, np.nan, np.inf, -np.inf, 1e9, -1e9, 1e30, -1e30, 65_504.0, 1e5]
    with np.errstate(all="ignore"):
        fixed = np.array([*halves, *odd, *ends], np.float64).astype(dtype)
        around = np.concatenate([np.nextafter(fixed, np.array(way, dtype)) for way in (-np.inf, np.inf)])
    noise = (generator.standard_normal(40) * 300).astype(dtype)
    tiny = np.finfo(dtype)
    return _rows(np.concatenate([fixed, around, noise, [tiny.smallest_normal, tiny.max, tiny.min]]).astype(dtype))


def _ends(dtype: str) -> tuple[int, int]:
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _rows(line: Pixels) -> Pixels:
    return np.resize(line, (-(-line.size // 8), 8))


def content(memory: MemoryType, array: Any, dtype: str) -> Pixels:
    """Return what an array of the library holds, in an image's dtype: converted here, and not by the library."""
    return memory.to_host(array, dtype_name(array)).astype(dtype)


def same(found: object, expected: Pixels) -> bool:
    """Whether it is an array of the same dtype, byte order and shape, with the same content; -0.0 is not 0.0."""
    if not isinstance(found, np.ndarray) or found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if found.dtype.kind != "f":
        return np.array_equal(found, expected)
    return np.array_equal(found, expected, equal_nan=True) and np.array_equal(
        np.signbit(found[~np.isnan(found)]), np.signbit(expected[~np.isnan(expected)])
    )


def told(found: object) -> str:
    """Return an array's dtype and shape in words."""
    return f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__


def differs(found: object, expected: Pixels) -> str:
    """Return the first value that is another, or dtype and shape where those are."""
    if not isinstance(found, np.ndarray) or (found.dtype, found.shape) != (expected.dtype, expected.shape):
        return f"{told(found)}, expected {told(expected)}"
    if same(found, expected):
        return "the same"
    place = next(index for index in np.ndindex(expected.shape) if not same(found[index][None], expected[index][None]))
    return f"{found[place]!r}, expected {expected[place]!r}"
