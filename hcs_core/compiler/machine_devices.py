"""Which devices memory types have, what is free on them, and which of them a node may work on."""

from __future__ import annotations

from hcs_core.arrays.device_names import is_meant, kind_of
from hcs_core.arrays.memory_type import HasDevices, devices_there
from hcs_core.errors import HcsError, PluginError
from hcs_core.plugins.manager import PluginManager


class Devices:
    """The devices of the memory types of a manager; each memory type is asked once, each device's memory too."""

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._there: dict[str, tuple[str, ...]] = {}
        self._candidates: dict[tuple[str, str | None], tuple[str, ...]] = {}
        self._free: dict[tuple[str, str], int | None] = {}

    def of(self, memory_type: str) -> tuple[str, ...]:
        """Return the devices of a memory type, the best first; none where the machine has none for it.

        Raises
        ------
        UnknownNameError
            No memory type of that name is installed.
        PluginError
            Its library cannot be imported, or it raises when it is asked.
        """
        if memory_type not in self._there:
            registry = self._plugins.memory_types
            made = registry.make(memory_type)
            with registry.calling(memory_type, "devices"):
                self._there[memory_type] = devices_there(made)
        return self._there[memory_type]

    def free_bytes(self, memory_type: str, device: str) -> int | None:
        """Return the memory that is free on a device, as a memory type tells it; `None` where that does not know.

        Raises
        ------
        PluginError
            As for `of`.
        """
        key = (memory_type, device)
        if key not in self._free:
            registry = self._plugins.memory_types
            made = registry.make(memory_type)
            with registry.calling(memory_type, "free_bytes"):
                self._free[key] = made.free_bytes(device) if isinstance(made, HasDevices) else None
        return self._free[key]

    def matching(self, memory_type: str, wanted: str | None) -> tuple[str, ...]:
        """Return the devices of a memory type that a name means: `cuda` is any of `cuda:0`, `cuda:1`.

        Raises
        ------
        PluginError
            As for `of`.
        """
        there = self.of(memory_type)
        return tuple(name for name in there if is_meant(name, wanted))

    def has(self, memory_type: str, wanted: str) -> bool:
        """Whether a memory type can be used, and has the device."""
        try:
            return bool(self.matching(memory_type, wanted))
        except HcsError:
            return False

    def candidates(self, memory_type: str, wanted: str | None) -> tuple[str, ...]:
        """Return the devices on which a node may work, the best first: all of one kind.

        Of those that a name means, it is the one that a plugin chooses, else those of the first one's kind.

        Raises
        ------
        PluginError
            As for `of`; none matches; or two plugins choose.
        """
        key = (memory_type, wanted)
        if key not in self._candidates:
            matching = self.matching(memory_type, wanted)
            if not matching:
                raise PluginError(f"the memory type {memory_type!r} has no device{_called(wanted)}.")
            policy = self._plugins.choose_device(memory_type, matching) if len(matching) > 1 else None
            alike = tuple(name for name in matching if kind_of(name) == kind_of(matching[0]))
            self._candidates[key] = (policy,) if policy else alike
        return self._candidates[key]


def _called(wanted: str | None) -> str:
    return "" if wanted is None else f" {wanted!r}"
