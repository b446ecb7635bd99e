"""Moving arrays between memory types: by a declared direct route, else through host memory."""

from __future__ import annotations

from typing import Any

from hcs_core.arrays.memory_type import HasDevices, MemoryType
from hcs_core.plugins.manager import PluginManager


class Converter:
    """Converts between the memory types of a registry; each is made once, on first use."""

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._made: dict[str, MemoryType] = {}

    def memory_type(self, name: str) -> MemoryType:
        """Return the memory type of that name."""
        if name not in self._made:
            self._made[name] = self._plugins.memory_types.make(name)
        return self._made[name]

    def convert(self, array: Any, source: str, destination: str) -> Any:
        """Return an array of one memory type in another; the array itself where they are the same."""
        if source == destination:
            return array
        route = f"{source}->{destination}"
        if route in self._plugins.converters:
            return self._plugins.converters.load(route)(array)
        return self.memory_type(destination).from_host(self.memory_type(source).to_host(array))

    def on_device(self, array: Any, memory_type: str, device: str) -> Any:
        """Return an array of a memory type on one of its devices."""
        owner = self.memory_type(memory_type)
        return owner.to_device(array, device) if isinstance(owner, HasDevices) else array
