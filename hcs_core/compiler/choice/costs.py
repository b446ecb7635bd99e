"""What kernels, conversions and the start of libraries cost, as it was measured on a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeVar

import attrs

from hcs_core.arrays.device_names import is_meant
from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.place import Place

MEGA = 1e6
"""A megapixel is so many pixels of a kernel's input, a megabyte so many bytes of an image in its own dtype."""

DTYPES = ("uint16", "float32", "uint8")
"""The dtypes that are measured, the most wanted first."""

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class KernelCost:
    """The seconds that a version of a kernel takes for a megapixel of its input in a dtype, on a device."""

    kernel: str
    version: str
    device: str
    dtype: str
    seconds_per_megapixel: float


@attrs.frozen(kw_only=True)
class RouteCost:
    """The seconds that a conversion of a megabyte takes; `device` is the destination's, or the one that it leaves."""

    source: str
    destination: str
    device: str
    dtype: str
    seconds_per_megabyte: float


@attrs.frozen(kw_only=True)
class LibraryCost:
    """What a memory type's library was, how long it took to start, and the devices that it found, the best first."""

    memory_type: str
    library: str
    version: str
    start_seconds: float
    devices: tuple[str, ...]


@attrs.frozen(kw_only=True)
class MeasuredOn:
    """What tells machines apart on which the same takes another time: processor, cores, graphics cards."""

    processor: str = ""
    cores: int = 0
    cards: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Costs:
    """Measured costs; without entries, nothing was measured.

    Attributes
    ----------
    measured_on, measured_at
        The machine, and when, as an ISO time in UTC.
    libraries, kernels, routes
        What was measured.
    notice
        Why there are fewer than were kept, in a sentence: empty where nothing is missing. No part of the data.
    """

    measured_on: MeasuredOn = MeasuredOn()
    measured_at: str = ""
    libraries: tuple[LibraryCost, ...] = ()
    kernels: tuple[KernelCost, ...] = ()
    routes: tuple[RouteCost, ...] = ()
    notice: str = ""

    def __bool__(self) -> bool:
        """Whether anything was measured."""
        return bool(self.kernels)

    # --- As data --------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return them as plain data."""
        document = attrs.asdict(self)
        del document["notice"]
        return document

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Return the costs of plain data.

        Raises
        ------
        ValueError
            It is no such data: the text says why.
        """
        import cattrs  # Only where there is a file: it takes longer to import than all else here.

        converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
        try:
            found: Self = converter.structure(document, cls)
            numbers = [item.start_seconds for item in found.libraries]
        except (KeyError, TypeError, ValueError, AttributeError, cattrs.errors.ForbiddenExtraKeysError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        numbers += [item.seconds_per_megapixel for item in found.kernels]
        numbers += [item.seconds_per_megabyte for item in found.routes]
        if not all(0 <= number < float("inf") for number in numbers):
            raise ValueError("a time is no number of seconds")
        return found

    def merged(self, newer: Costs) -> Costs:
        """Return these with what was measured anew in place of it; of another version of a library nothing stays."""
        changed = {item.memory_type for item in newer.libraries if item.version != self._version(item.memory_type)}
        kept = self.without(changed)
        return attrs.evolve(
            newer,
            libraries=_joined(kept.libraries, newer.libraries, "memory_type"),
            kernels=_joined(kept.kernels, newer.kernels, "kernel", "device", "dtype"),
            routes=_joined(kept.routes, newer.routes, "source", "destination", "device", "dtype"),
        )

    def without(self, memory_types: Iterable[str]) -> Costs:
        """Return these without what is of some memory types."""
        gone = frozenset(memory_types)
        return attrs.evolve(
            self,
            libraries=tuple(item for item in self.libraries if item.memory_type not in gone),
            kernels=tuple(item for item in self.kernels if item.kernel.rpartition("/")[2] not in gone),
            routes=tuple(item for item in self.routes if gone.isdisjoint({item.source, item.destination})),
        )

    def _version(self, memory_type: str) -> str:
        return next((item.version for item in self.libraries if item.memory_type == memory_type), "")

    def still_true(self, machine: MeasuredOn, versions: Mapping[str, str]) -> Costs:
        """Return what counts on a machine with these versions of the libraries, with a notice of what does not."""
        if self.measured_on != machine:
            return Costs(notice="the measurements that are kept are of another machine")
        old = [item for item in self.libraries if versions.get(item.library, "") != item.version]
        if not old:
            return self
        words = ", ".join(
            f"{item.memory_type} ({item.library} {item.version} then, {versions.get(item.library) or 'none'} now)"
            for item in old
        )
        left = self.without(item.memory_type for item in old)
        return attrs.evolve(left, notice=f"what was measured of {words} does not count any more")

    # --- Looked up ------------------------------------------------------------------------------------------

    def device(self, memory_type: str, wanted: str | None = None) -> str:
        """Return the first measured device of a memory type that a name means, as a plan takes it; or nothing."""
        for item in self.libraries:
            if item.memory_type == memory_type:
                fitting = [name for name in item.devices if is_meant(name, wanted)]
                return fitting[0] if fitting else ""
        return ""

    def start(self, memory_type: str) -> float:
        """Return the seconds that it takes to start a memory type's library; numpy's is there anyway."""
        found = {item.memory_type: item.start_seconds for item in self.libraries}
        return 0.0 if memory_type == HOST else found.get(memory_type, 0.0)

    def kernel(self, kernel: str, version: str, device: str, dtype: str) -> float | None:
        """Return the seconds that a kernel takes for a megapixel, or `None` where nobody measured it.

        A dtype that was not measured counts as the most expensive that was.
        """
        found = {
            item.dtype: item.seconds_per_megapixel
            for item in self.kernels
            if (item.kernel, item.version, item.device) == (kernel, version, device)
        }
        return _of_dtype(found, dtype)

    def route(self, source: Place, destination: Place, dtype: str) -> float | None:
        """Return the seconds that a megabyte takes from one place to another, or `None` where nobody measured it.

        A route that was not measured goes through host memory.
        """
        if source == destination:
            return 0.0
        device = source.device if destination.memory_type == HOST else destination.device
        way = (source.memory_type, destination.memory_type, device)
        found = {
            item.dtype: item.seconds_per_megabyte
            for item in self.routes
            if (item.source, item.destination, item.device) == way
        }
        direct = _of_dtype(found, dtype)
        host = Place()
        if direct is not None or host in {source, destination}:
            return direct
        ways = self.route(source, host, dtype), self.route(host, destination, dtype)
        return None if ways[0] is None or ways[1] is None else ways[0] + ways[1]


def _of_dtype(found: Mapping[str, float], dtype: str) -> float | None:
    return found.get(dtype, max(found.values(), default=None))


def _joined(older: tuple[T, ...], newer: tuple[T, ...], *fields: str) -> tuple[T, ...]:
    """Return both, the newer of two that are of the same thing."""
    by_key = {tuple(getattr(item, field) for field in fields): item for item in (*older, *newer)}
    return tuple(by_key.values())
