"""Which devices memory types have, and which of them a node works on."""

from __future__ import annotations

from hcs_core.arrays.memory_type import CPU, HasDevices
from hcs_core.errors import HcsError, PluginError
from hcs_core.plugins.manager import PluginManager


class Devices:
    """The devices of the memory types of a manager, each memory type asked once."""

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._there: dict[str, tuple[str, ...]] = {}
        self._chosen: dict[tuple[str, str | None], str] = {}

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
                self._there[memory_type] = tuple(made.devices()) if isinstance(made, HasDevices) else (CPU,)
        return self._there[memory_type]

    def matching(self, memory_type: str, wanted: str | None) -> tuple[str, ...]:
        """Return the devices of a memory type that a name means: `cuda` is any of `cuda:0`, `cuda:1`.

        Raises
        ------
        PluginError
            As for `of`.
        """
        there = self.of(memory_type)
        return tuple(name for name in there if wanted in {None, name, name.partition(":")[0]})

    def has(self, memory_type: str, wanted: str) -> bool:
        """Whether a memory type can be used, and has the device."""
        try:
            return bool(self.matching(memory_type, wanted))
        except HcsError:
            return False

    def choose(self, memory_type: str, wanted: str | None) -> str:
        """Return one of the devices that a name means: what a plugin chooses, else the first.

        Raises
        ------
        PluginError
            As for `of`; none matches; or two plugins choose.
        """
        key = (memory_type, wanted)
        if key not in self._chosen:
            matching = self.matching(memory_type, wanted)
            if not matching:
                raise PluginError(f"the memory type {memory_type!r} has no device{_called(wanted)}.")
            policy = self._plugins.choose_device(memory_type, matching) if len(matching) > 1 else None
            self._chosen[key] = policy or matching[0]
        return self._chosen[key]


def _called(wanted: str | None) -> str:
    return "" if wanted is None else f" {wanted!r}"
