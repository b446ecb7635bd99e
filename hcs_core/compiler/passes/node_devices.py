"""Which device each node works on: one by its name, or any of a kind, among which workers are spread."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.arrays.device_names import kind_of
from hcs_core.arrays.memory_type import CPU
from hcs_core.compiler.machine_devices import Devices
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.errors import HcsError, PluginError
from hcs_core.plugins.libraries import usable
from hcs_core.plugins.manager import PluginManager


@attrs.frozen(kw_only=True)
class NodeDevices:
    """The nodes of a plan with a device each, the devices that a kind among these stands for, and what is wrong."""

    nodes: tuple[NodePlan, ...]
    spread: tuple[str, ...]
    problems: tuple[Problem, ...]


def node_devices(plan: Plan, wanted: str | None, plugins: PluginManager, devices: Devices) -> NodeDevices:
    """Return on which device nodes work: what their steps ask for, else the configuration, else what is chosen.

    The configuration's device (`wanted`) is for the memory types that can work on more than the CPU; the others work
    there. A step's is for that step, and has to be there.

    A worker is bound to one device. So only the devices of one kind are shared out among workers: the kind of the
    first node that may work on several. Nodes of another kind all work on their best device.
    """
    choices: list[tuple[str, ...]] = []
    problems: list[Problem] = []
    for node in plan.nodes:
        choice: tuple[str, ...] = ()
        # A memory type that is not there is the memory pass's business.
        if node.memory_type in plugins.memory_types:
            try:
                choice = _choice(node, wanted, devices)
            except PluginError as error:
                here = _Here((node,) if node.asked_device else plan.nodes, plugins, devices)
                problems.append(_no_device(node, wanted, error, here))
        choices.append(choice)
    if (
        wanted is not None
        and choices
        and not problems
        and not any(devices.has(n.memory_type, wanted) for n in plan.nodes)
    ):
        problems.append(_nowhere(wanted, _Here(plan.nodes, plugins, devices)))
    spread = _spread(choices)
    nodes = tuple(
        attrs.evolve(node, device=_name(choice, spread), batch=1) if choice else node
        for node, choice in zip(plan.nodes, choices, strict=True)
    )
    return NodeDevices(nodes=nodes, spread=spread, problems=tuple(problems))


def _choice(node: NodePlan, wanted: str | None, devices: Devices) -> tuple[str, ...]:
    if node.asked_device is None and devices.of(node.memory_type) == (CPU,):
        return (CPU,)
    return devices.candidates(node.memory_type, node.asked_device or wanted)


def _spread(choices: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the devices of one kind that all nodes have which may work on several of that kind."""
    several = [choice for choice in choices if len(choice) > 1]
    alike = [choice for choice in several if kind_of(choice[0]) == kind_of(several[0][0])]
    return tuple(name for name in alike[0] if all(name in other for other in alike)) if alike else ()


def _name(choice: tuple[str, ...], spread: tuple[str, ...]) -> str:
    if len(choice) > 1 and spread and kind_of(choice[0]) == kind_of(spread[0]):
        return kind_of(choice[0])
    return choice[0]


def _no_device(node: NodePlan, wanted: str | None, error: PluginError, here: _Here) -> Problem:
    return Problem(
        step=node.step,
        function=node.operation,
        parameter="device" if node.asked_device or wanted else "memory",
        message=str(error),
        hint=here.hint(),
        found=node.asked_device or wanted or node.memory_type,
        expected=here.there(),
    )


def _nowhere(wanted: str, here: _Here) -> Problem:
    return Problem(
        parameter="device",
        message=f"no memory type that the steps work in has a device {wanted!r}.",
        hint=here.hint(),
        found=wanted,
        expected=here.there(),
    )


class _Here:
    """The memory types that nodes work in or could work in: which devices they have, which are absent."""

    def __init__(self, nodes: Sequence[NodePlan], plugins: PluginManager, devices: Devices) -> None:
        operations = {node.operation for node in nodes if node.kernel and node.asked_memory_type is None}
        could = [spec.memory_type for spec in plugins.kernels if spec.operation in operations]
        every = dict.fromkeys([*(node.memory_type for node in nodes if node.memory_type), *could])
        self._there = [name for name in every if usable(plugins.memory_types, name)]
        self._absent = sorted(every.keys() - self._there)
        self._devices = devices

    def there(self) -> str:
        """Return the devices of those that can be used."""
        return "; ".join(map(self._of, self._there))

    def hint(self) -> str:
        """Return the devices in a sentence, and in another one what could bring more."""
        absent = f" Not installed here: {', '.join(self._absent)} (see `hcs doctor`)." if self._absent else ""
        return f"Here {self.there()}.{absent}"

    def _of(self, name: str) -> str:
        try:
            return f"{name} has {', '.join(self._devices.of(name)) or 'none'}"
        except HcsError:
            return f"{name} cannot be used"
