"""The graph of a plan as one of choices: its nodes with their measured kernels, and the planes between them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.choice.cheapest import ChoiceGraph, Handing, Option, cheapest
from hcs_core.compiler.choice.costs import Costs
from hcs_core.compiler.choice.volumes import Volumes
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.node_plan import NodePlan, Port
from hcs_core.compiler.place import Place
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.specs import KernelSpec

Choices = dict[int, tuple[KernelSpec, ...]]
"""The kernels that nodes may be computed by, by their index; of equals, the first is taken."""

_HERE = Place()

_MINUTE, _HOUR = 60.0, 3600.0


def computed_by(node: NodePlan, spec: KernelSpec, why: str) -> NodePlan:
    """Return a node with its kernel, and why it is that one."""
    return attrs.evolve(node, memory_type=spec.memory_type, kernel=spec.name, version=spec.version, why=why)


def seconds_of(spec: KernelSpec, node: NodePlan, costs: Costs, wanted: str | None) -> float | None:
    """Return what a kernel takes for a megapixel, where it and the ways to and from it were measured."""
    place = _place(spec.memory_type, costs, wanted)
    ways = (
        costs.route(_HERE, place, node.input.dtype),
        costs.route(place, _HERE, node.output.dtype),
    )
    if None in ways:
        return None
    return costs.kernel(spec.name, spec.version, place.device, node.input.dtype)


def _place(memory_type: str, costs: Costs, wanted: str | None) -> Place:
    """Return where a memory type works: on the measured device that is wanted, or its first."""
    if memory_type == HOST:
        return _HERE
    return Place(memory_type, costs.device(memory_type, wanted) or costs.device(memory_type))


def with_cheapest(plan: Plan, open_ones: Choices, given: CompileInput) -> Plan:
    """Return the plan with the kernels that make the whole plate cheapest."""
    costs, volumes = given.machine.costs, Volumes.of(plan, given.plate)

    def options(index: int, node: NodePlan) -> tuple[Option, ...]:
        wanted = node.asked_device or given.config.device
        specs = open_ones.get(index)
        if specs is None:
            return (Option(place=_place(node.memory_type, costs, wanted)),)
        size = volumes.megapixels(node)
        return tuple(
            Option(
                place=_place(spec.memory_type, costs, wanted),
                seconds=size * (seconds_of(spec, node, costs, wanted) or 0.0),
            )
            for spec in specs
        )

    nodes = tuple(options(index, node) for index, node in enumerate(plan.nodes))
    # The last one is the host, where planes come from and go to.
    host = len(nodes)
    workers = max(1, min(given.machine.cores, volumes.wells))
    names = {option.place.memory_type for node in nodes for option in node}
    graph = ChoiceGraph(
        nodes=(*nodes, (Option(place=_HERE),)),
        handings=_handings(plan, volumes, costs, host),
        starts={name: costs.start(name) * workers for name in names},
    )
    chosen = cheapest(graph)
    found = list(plan.nodes)
    for index, specs in open_ones.items():
        spec = specs[nodes[index].index(chosen[index])]
        found[index] = computed_by(found[index], spec, _why(graph, index, chosen))
    return attrs.evolve(plan, nodes=tuple(found))


def _handings(plan: Plan, volumes: Volumes, costs: Costs, host: int) -> tuple[Handing, ...]:
    """Return what goes from node to node, from the plate and into stores; ports with the same takers as one."""
    takers: dict[Port, list[int]] = {}
    for index, node in enumerate(plan.nodes):
        for port in node.inputs:
            takers.setdefault(port, []).append(index)
    for output in plan.outputs:
        for port in output.ports:
            takers.setdefault(port, []).append(host)
    joined: dict[tuple[int, tuple[int, ...], str], float] = {}
    for port, listed in takers.items():
        giver = port.node if port.node >= 0 else host
        key = giver, tuple(dict.fromkeys(listed)), volumes.dtype(port)
        joined[key] = joined.get(key, 0.0) + volumes.megabytes(port)
    return tuple(
        Handing(giver=giver, takers=listed, move=_Moving(costs, dtype, size))
        for (giver, listed, dtype), size in joined.items()
    )


@attrs.frozen
class _Moving:
    """What it takes to move so many megabytes of a dtype; what nobody measured takes nothing."""

    costs: Costs
    dtype: str
    megabytes: float

    def __call__(self, source: Place, destination: Place) -> float:
        known = self.costs.route(source, destination, self.dtype)
        if known is None:
            there = self.costs.route(source, _HERE, self.dtype)
            back = self.costs.route(_HERE, destination, self.dtype)
            known = (there or 0.0) + (back or 0.0)
        return known * self.megabytes


def _why(graph: ChoiceGraph, index: int, chosen: Sequence[Option]) -> str:
    """Say what a node takes in each of its places, where all others work as chosen."""
    each = [
        f"{_place_text(option.place)} {_time_text(graph.share(index, option, chosen))}"
        for option in sorted(graph.nodes[index], key=lambda option: option != chosen[index])
    ]
    return f"cheapest of {', '.join(each)} (for the plate, conversions included)"


def _place_text(place: Place) -> str:
    return place.memory_type if place.device == CPU else f"{place.memory_type} on {place.device}"


def _time_text(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.2g} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"
