"""`ConverterContract`: what every direct route between two memory types has to pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from hcs_core.arrays.device_names import is_of
from hcs_core.arrays.memory_type import HasDevices, MemoryType, devices_there, dtype_name
from hcs_core.plugins.signature import DTYPES
from hcs_core.plugins.specs import ConverterSpec, MemoryTypeSpec
from hcs_core.testing.contracts.memory_type_calls import differs, same, values
from hcs_core.testing.contracts.targets import imported, made

Case = tuple[ConverterSpec, str]

_PARTS: dict[str, Callable[[Any], Any]] = {
    "whole": lambda array: array,
    "without rows": lambda array: array[:0],
    "every other row, without its first column": lambda array: array[::2, 1:],
    "a line": lambda array: array[0],
}


class ConverterContract:
    """What every direct route has to pass: the content comes through, on its device, and its source stays as it was.

    Each test runs for each of `converters` whose memory types are both given, on each device of the source on which
    it works.

    Attributes
    ----------
    converters
        What the plugin declares.
    memory_types
        The memory types that they go from and to, the plugin's own and those of others.

    Examples
    --------
    ::

        class TestConverters(ConverterContract):
            converters = tuple(plugin.hcs_converters())
            memory_types = (*plugin.hcs_memory_types(), *hcs_torch.plugin.hcs_memory_types())
    """

    converters: ClassVar[Sequence[ConverterSpec]]
    memory_types: ClassVar[Sequence[MemoryTypeSpec]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each route, on each device on which it works."""
        if "route" not in metafunc.fixturenames:
            return
        known = {spec.name: spec for spec in self.memory_types}
        cases = []
        for spec in self.converters:
            if not {spec.source, spec.destination} <= known.keys():
                continue
            there = devices_there(made(known[spec.source]))
            shared = [device for device in there if device in devices_there(made(known[spec.destination]))]
            allowed = [device for device in shared if is_of(device, spec.devices)]
            cases += [pytest.param((spec, device), id=f"{spec.name}-{device}") for device in allowed]
        none = pytest.mark.skip(reason="no device on which these routes work is on this machine")
        metafunc.parametrize("route", cases or [pytest.param(None, marks=none)])

    def test_the_content_comes_through(self, route: Case) -> None:
        """Of every dtype that the source holds: whole, empty, or a part that is not contiguous."""
        spec, _ = route
        _, destination = self._ends(spec)
        for what, dtype, array in self._arrays(route):
            expected = _PARTS[what](values(dtype))
            found = destination.to_host(destination.cast(self._converted(spec, array), dtype), dtype)
            assert same(found, expected), (
                f"a route changes neither content nor shape: of an array of {dtype} ({what}) {spec.name} makes "
                f"{differs(found, expected)}; where the library cannot take it as it is, copy it first."
            )

    def test_the_dtype_is_the_same_or_a_wider_one(self, route: Case) -> None:
        """No value is lost on the way, and none is rounded."""
        spec, _ = route
        for _, _, array in self._arrays(route):
            before, after = dtype_name(array), dtype_name(self._converted(spec, array))
            assert after in DTYPES and np.can_cast(before, after, "safe"), (  # noqa: PT018 - one rule
                f"a route returns the dtype that it gets, or a wider one: {spec.name} makes {after} of {before}; "
                "enable 64 bits around it, or convert before."
            )

    def test_the_result_is_of_its_destination(self, route: Case) -> None:
        """On the same device."""
        spec, device = route
        _, destination = self._ends(spec)
        for _, _, array in self._arrays(route):
            result = self._converted(spec, array)
            owned = destination.owns(result)
            found = device if not isinstance(destination, HasDevices) or not owned else destination.device_of(result)
            assert owned and found == device, (  # noqa: PT018 - one rule
                f"a route returns an array of its destination, on the device of its source: on {device} {spec.name} "
                f"returns {type(result).__name__} on {found}."
            )

    def test_the_source_is_left_as_it_was(self, route: Case) -> None:
        """The two may share memory; nothing is written into it."""
        spec, _ = route
        source, _ = self._ends(spec)
        for what, dtype, array in self._arrays(route):
            self._converted(spec, array)
            found, expected = source.to_host(array, dtype), _PARTS[what](values(dtype))
            assert same(found, expected), (
                f"a route leaves its source as it was: {spec.name} changes an array of {dtype} ({what}) to "
                f"{differs(found, expected)}."
            )

    def _ends(self, spec: ConverterSpec) -> tuple[MemoryType, MemoryType]:
        known = {one.name: one for one in self.memory_types}
        return made(known[spec.source]), made(known[spec.destination])

    def _converted(self, spec: ConverterSpec, array: Any) -> Any:
        return imported(spec.target)(array)

    def _arrays(self, route: Case) -> Iterator[tuple[str, str, Any]]:
        """Yield arrays of the source on a device, each with what it is in words and its image's dtype."""
        spec, device = route
        source, destination = self._ends(spec)
        for dtype in DTYPES:
            if source.holds(dtype) and destination.holds(dtype):
                for what, part in _PARTS.items():
                    yield what, dtype, part(source.from_host(values(dtype), device))
