"""Moving arrays between memory types and devices: by a declared direct route, else through host memory."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hcs_core.arrays.device_names import is_of, kind_of
from hcs_core.arrays.memory_type import CPU, HOST, HasDevices, MemoryType, dtype_name
from hcs_core.errors import PluginError, RunError
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.registry import Registry


class Converter:
    """Converts between the memory types of a registry; each is made once, on first use.

    `counts` are the conversions so far, by route (`numpy->torch`), and the moves between devices of one memory type
    (`torch cpu->cuda:0`). One that failed is not counted.
    """

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._made: dict[str, MemoryType] = {}
        self._held: dict[tuple[str, str], str] = {}
        self.counts: Counter[str] = Counter()

    def memory_type(self, name: str) -> MemoryType:
        """Return the memory type of that name.

        Raises
        ------
        UnknownNameError
            None of that name is installed.
        PluginError
            It cannot be made.
        """
        if name not in self._made:
            self._made[name] = self._plugins.memory_types.make(name)
        return self._made[name]

    def convert(self, array: Any, source: str, destination: str, dtype: str, device: str = CPU) -> Any:
        """Return an image of a dtype in another memory type, on a device; the array itself where it is there.

        Both arrays hold it as their memory types hold that dtype, in the same shape.

        Raises
        ------
        RunError
            The array does not hold an image of that dtype.
        PluginError
            A memory type, or a direct route, returned something else than it says, or another shape. What the
            libraries themselves raise goes through.
        """
        if source == destination:
            return self._on_device(array, source, device)
        self._check_given(array, source, dtype)
        found = self._moved(array, source, destination, dtype, device)
        self.counts[f"{source}->{destination}"] += 1
        return self._on_device(found, destination, device)

    def device_of(self, array: Any, memory_type: str) -> str:
        """Return the device that an array of a memory type is on."""
        owner = self.memory_type(memory_type)
        return owner.device_of(array) if isinstance(owner, HasDevices) else CPU

    def _moved(self, array: Any, source: str, destination: str, dtype: str, device: str) -> Any:
        """Return the image in another memory type; on the device that is asked for, or on one of its kind."""
        to, held, shape = self.memory_type(destination), self._holding(destination, dtype), tuple(array.shape)
        routes, types = self._plugins.converters, self._plugins.memory_types
        route = f"{source}->{destination}"
        if self._is_direct(route, self.device_of(array, source), device):
            found = routes.load(route)(array)
            _check_made(routes, route, "its function", found, to, shape)
            found = to.cast(found, dtype)
            _check_made(types, destination, "cast", found, to, shape, held)
            return found
        host = self.memory_type(source).to_host(array, dtype)
        _check_made(types, source, "to_host", host, self.memory_type(HOST), shape, dtype)
        found = to.from_host(host, device)
        _check_made(types, destination, "from_host", found, to, shape, held)
        return found

    def _is_direct(self, route: str, source: str, destination: str) -> bool:
        """Whether a declared route goes from a device to one of the same kind."""
        if route not in self._plugins.converters:
            return False
        allowed = self._plugins.converters.get(route).devices
        return kind_of(source) == kind_of(destination) and is_of(source, allowed)

    def _on_device(self, array: Any, memory_type: str, device: str) -> Any:
        owner = self.memory_type(memory_type)
        if not isinstance(owner, HasDevices):
            return array
        before = owner.device_of(array)
        if before == device:
            return array
        moved = owner.to_device(array, device)
        types = self._plugins.memory_types
        _check_made(types, memory_type, "to_device", moved, owner, tuple(array.shape), dtype_name(array))
        self.counts[f"{memory_type} {before}->{device}"] += 1
        return moved

    def _holding(self, memory_type: str, dtype: str) -> str:
        """Return the dtype in which a memory type holds another.

        Raises
        ------
        RunError
            It cannot hold it at all.
        """
        key = (memory_type, dtype)
        if key not in self._held:
            held = self.memory_type(memory_type).holds(dtype)
            if not held:
                raise RunError(f"the memory type {memory_type!r} cannot hold an image of {dtype}; use numpy for it.")
            self._held[key] = held
        return self._held[key]

    def _check_given(self, array: Any, source: str, dtype: str) -> None:
        found, held = dtype_name(array), self._holding(source, dtype)
        if found != held:
            raise RunError(
                f"an array of {found} was given as an image of {dtype}, which the memory type {source!r} holds as "
                f"{held}; `cast` makes it one."
            )


def _check_made(
    registry: Registry[Any], name: str, what: str, array: Any, to: MemoryType, shape: tuple[int, ...], dtype: str = ""
) -> None:
    """Refuse what a plugin made, where it is of another library, shape or dtype than was asked for."""
    found = type(array).__name__
    if to.owns(array):
        if tuple(array.shape) == shape and dtype in {"", dtype_name(array)}:
            return
        found = f"{dtype_name(array)} {tuple(array.shape)}"
    owner = registry.owner(name)
    wanted = f"{dtype} {shape}" if dtype else f"an array of its destination, {shape}"
    raise PluginError(
        f"the {registry.kind.singular} {name!r} of {owner} returned {found} from {what}, expected was {wanted}: "
        f"{owner.way_out}."
    )
