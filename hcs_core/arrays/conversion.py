"""Moving arrays between memory types and devices: by a declared direct route, else through host memory."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hcs_core.arrays.memory_type import CPU, HasDevices, MemoryType
from hcs_core.plugins.manager import PluginManager


class Converter:
    """Converts between the memory types of a registry; each is made once, on first use.

    `counts` are the conversions so far, by route (`numpy->torch`), and the moves between devices of one memory type
    (`torch cpu->cuda:0`).
    """

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._made: dict[str, MemoryType] = {}
        self.counts: Counter[str] = Counter()

    def memory_type(self, name: str) -> MemoryType:
        """Return the memory type of that name."""
        if name not in self._made:
            self._made[name] = self._plugins.memory_types.make(name)
        return self._made[name]

    def convert(self, array: Any, source: str, destination: str, dtype: str, device: str = CPU) -> Any:
        """Return an image of a dtype in another memory type, on a device; the array itself where it is there.

        Both arrays hold it as their memory types hold that dtype.
        """
        if source == destination:
            return self._on_device(array, source, device)
        self.counts[f"{source}->{destination}"] += 1
        to = self.memory_type(destination)
        if self._direct(array, source, destination, device):
            found = to.cast(self._plugins.converters.load(f"{source}->{destination}")(array), dtype)
            return self._on_device(found, destination, device)
        return to.from_host(self.memory_type(source).to_host(array, dtype), device)

    def _direct(self, array: Any, source: str, destination: str, device: str) -> bool:
        """Whether a declared route goes from where the array is to a device of the kind that is wanted."""
        route = f"{source}->{destination}"
        if route not in self._plugins.converters:
            return False
        kinds = {_kind(self.device_of(array, source)), _kind(device)}
        allowed = self._plugins.converters.get(route).devices
        return len(kinds) == 1 and (not allowed or kinds <= set(allowed))

    def device_of(self, array: Any, memory_type: str) -> str:
        """Return the device that an array of a memory type is on."""
        owner = self.memory_type(memory_type)
        return owner.device_of(array) if isinstance(owner, HasDevices) else CPU

    def _on_device(self, array: Any, memory_type: str, device: str) -> Any:
        owner = self.memory_type(memory_type)
        if not isinstance(owner, HasDevices):
            return array
        before = owner.device_of(array)
        if before == device:
            return array
        self.counts[f"{memory_type} {before}->{device}"] += 1
        return owner.to_device(array, device)


def _kind(device: str) -> str:
    return device.partition(":")[0]
