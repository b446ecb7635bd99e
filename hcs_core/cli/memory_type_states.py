"""Whether memory types can be used here: `ready`, `not installed` (the library), `no device`, or `failed`."""

from __future__ import annotations

import attrs

from hcs_core.arrays.memory_type import CPU
from hcs_core.compiler.choice.costs import Costs
from hcs_core.compiler.machine_devices import Devices
from hcs_core.errors import HcsError
from hcs_core.plugins.libraries import how_to_get, library_is_there
from hcs_core.plugins.manager import PluginManager

READY, NOT_INSTALLED, NO_DEVICE, FAILED = "ready", "not installed", "no device", "failed"


@attrs.frozen(kw_only=True)
class MemoryTypeState:
    """A memory type, its library, whether it can be used, the devices that it has, and how to get what is missing.

    `failed` is what raises when it is asked for its devices; its plugin's record says how.
    """

    name: str
    library: str
    state: str
    devices: tuple[str, ...] = ()
    get: str = ""

    @property
    def words(self) -> str:
        """The state with its devices, or with what to do."""
        return (
            f"{self.state} on {', '.join(self.devices)}" if self.devices else f"{self.state}. {self.get}".rstrip(". ")
        )


def memory_type_states(
    plugins: PluginManager, known: Costs | None = None, *, devices_wanted: bool = True
) -> dict[str, MemoryTypeState]:
    """Return the states of the memory types of kernels and plugins, by name.

    Those whose library is there are asked for their devices, which imports the library: some can be imported on a
    machine without a device, and fail at the first array. Of those that were measured, `known` has them; where nobody
    wants to know devices, what has the CPU in any case is not asked.
    """
    devices = Devices(plugins)
    there = {item.memory_type: item.devices for item in known.libraries} if known else {}
    if not devices_wanted:
        there |= {spec.name: (CPU,) for spec in plugins.memory_types if spec.has_cpu}
    found = {spec.name: _state(spec.name, plugins, devices, there.get(spec.name)) for spec in plugins.memory_types}
    for name in sorted({spec.memory_type for spec in plugins.kernels} - found.keys()):
        get = how_to_get(plugins.memory_types, name)
        found[name] = MemoryTypeState(name=name, library="", state=NOT_INSTALLED, get=get)
    return found


def _state(name: str, plugins: PluginManager, devices: Devices, known: tuple[str, ...] | None) -> MemoryTypeState:
    library = plugins.memory_types.get(name).library
    if not library_is_there(library):
        return MemoryTypeState(
            name=name, library=library, state=NOT_INSTALLED, get=how_to_get(plugins.memory_types, name)
        )
    try:
        there = devices.of(name) if known is None else known
    except (HcsError, OSError):
        return MemoryTypeState(name=name, library=library, state=FAILED)
    return MemoryTypeState(name=name, library=library, state=READY if there else NO_DEVICE, devices=there)
