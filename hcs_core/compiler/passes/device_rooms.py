"""What workers need on devices against what is free there: which is bound to which, how many planes fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from hcs_core.arrays.device_names import kind_of
from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.device_plan import DevicePlan
from hcs_core.compiler.machine_devices import Devices
from hcs_core.compiler.passes.worker_memory import worker_memory
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.plan_devices import bound_plan, devices_of
from hcs_core.plugins.manager import PluginManager

USABLE = 0.9
"""Of what is free on a device: libraries hold memory in blocks, and others may take some until the run begins."""

MOST_IN_BATCH = 16
"""Planes that a kernel gets at once at most. A call on a device costs some microseconds to start, a plane of some
megabytes takes it longer than that; so a few planes hide it, and more only take memory from other workers."""


@attrs.frozen(kw_only=True)
class Need:
    """What a worker needs at once: on the host, and on each device by its name."""

    host: int
    devices: Mapping[str, int]


class Rooms:
    """The memory of the devices that a plan works on.

    Parameters
    ----------
    plan
        A plan whose nodes have devices.
    spread
        The devices that a kind among these stands for: each worker is bound to one of them.
    plugins, devices
        Whose memory types say what is free.
    """

    def __init__(self, plan: Plan, spread: Sequence[str], plugins: PluginManager, devices: Devices) -> None:
        self._plugins = plugins
        named = devices_of(plan)
        kinds = {kind_of(name) for name in spread}
        pinned = tuple(name for name in named if name not in kinds)
        # A worker is bound to something where that says where all of its work is.
        self.bindings = tuple(spread) or (pinned if len(pinned) == 1 else ("",))
        self.names = tuple(dict.fromkeys((*spread, *pinned)))
        self.free = {name: _free(plan, name, devices) for name in self.names}
        self._apart = not any(kind_of(name) in kinds for name in pinned)

    def needs(self, plan: Plan) -> dict[str, Need]:
        """Return what a worker needs, by the device that it is bound to."""
        if self._apart:
            # What it holds is the same, on whichever of them.
            first = self._need(bound_plan(plan, self.bindings[0]))
            return {
                name: Need(
                    host=first.host,
                    devices={
                        name if room == self.bindings[0] else room: size for room, size in first.devices.items()
                    },
                )
                for name in self.bindings
            }
        return {name: self._need(bound_plan(plan, name)) for name in self.bindings}

    def _need(self, plan: Plan) -> Need:
        """Return what a worker of a plan needs whose nodes name one device each."""
        memory = worker_memory(plan, self._plugins)
        contexts: Counter[str] = Counter()
        for name, memory_type in {(node.device, node.memory_type) for node in plan.nodes}:
            if name in memory.devices and memory_type != HOST:
                contexts[name] += self._plugins.memory_types.get(memory_type).context_bytes
        return Need(host=memory.total, devices={n: size + contexts[n] for n, size in memory.devices.items()})

    def assigned(self, needs: Mapping[str, Need], wanted: int) -> tuple[str, ...]:
        """Return what each of at most so many workers is bound to: the best device first, then all in turn.

        None where no worker has room anywhere.
        """
        found: list[str] = []
        used: Counter[str] = Counter()
        while len(found) < wanted:
            fitting = [name for name in self.bindings if self._fits(used + Counter(needs[name].devices))]
            if not fitting:
                break
            # The first of those that have the fewest.
            chosen = min(fitting, key=found.count)
            found.append(chosen)
            used += Counter(needs[chosen].devices)
        return tuple(found)

    def have_room(self, needs: Mapping[str, Need], workers: Sequence[str]) -> bool:
        """Whether all devices have room for these workers."""
        return self._fits(self._used(needs, workers))

    def devices(self, needs: Mapping[str, Need], workers: Sequence[str]) -> tuple[DevicePlan, ...]:
        """Return what is to be said of each device that these workers use."""
        found = []
        for name in self.names:
            each = [needs[worker].devices[name] for worker in workers if name in needs[worker].devices]
            if each:
                found.append(
                    DevicePlan(device=name, workers=len(each), bytes_per_worker=max(each), free_bytes=self.free[name])
                )
        return tuple(found)

    def shortest(self, needs: Mapping[str, Need]) -> tuple[str, int, int]:
        """Return the device on which a single worker lacks the least: its name, what it needs, and what is free."""
        lacking = [
            (size - free, name, size, free)
            for need in needs.values()
            for name, size in need.devices.items()
            if (free := self.free[name]) is not None and size > free * USABLE
        ]
        _, name, size, free = min(lacking)
        return name, size, free

    def _used(self, needs: Mapping[str, Need], workers: Sequence[str]) -> Counter[str]:
        used: Counter[str] = Counter()
        for worker in workers:
            used += Counter(needs[worker].devices)
        return used

    def _fits(self, used: Mapping[str, int]) -> bool:
        return all(free is None or used.get(name, 0) <= free * USABLE for name, free in self.free.items())


def _free(plan: Plan, device: str, devices: Devices) -> int | None:
    """Return what is free on a device: the least that the memory types say which work there."""
    names = {node.memory_type for node in plan.nodes if node.device in {device, kind_of(device)}}
    told = [free for name in sorted(names) if (free := devices.free_bytes(name, device)) is not None]
    return min(told, default=None)


def batching(plan: Plan, plugins: PluginManager) -> frozenset[int]:
    """Return the nodes whose kernels take several images at once, and that work on a device."""
    on_device = devices_of(plan)
    return frozenset(
        index
        for index, node in enumerate(plan.nodes)
        if node.device in on_device and node.registered_kernel and plugins.kernels.get(node.registered_kernel).batches
    )


def in_batches(plan: Plan, nodes: frozenset[int], batch: int) -> Plan:
    """Return the plan in which these nodes get so many planes at once."""
    return attrs.evolve(
        plan,
        nodes=tuple(
            attrs.evolve(node, batch=batch if index in nodes else 1) for index, node in enumerate(plan.nodes)
        ),
    )
