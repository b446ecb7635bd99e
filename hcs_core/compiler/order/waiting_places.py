"""Where planes wait for readers to come: where they are, as long as one of these works there, else on the host."""

from __future__ import annotations

from collections.abc import Iterator

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.node_plan import Port
from hcs_core.compiler.place import Place
from hcs_core.compiler.plan import Plan


def waiting_in_place(plan: Plan) -> dict[Port, bool]:
    """Return the ports whose planes wait in their node's own memory type: one that reads them works there too.

    For each, whether another one reads them on the host. It holds where planes may wait in memory: on a disk, none do
    so in place.
    """
    places = [Place.of(node) for node in plan.nodes]
    found = {}
    for index, place in enumerate(places):
        for channel in range(len(plan.node_readers[index]) if place.memory_type != HOST else 0):
            theirs = {places[reader] for reader in _readers(plan, Port(index, channel))}
            if place in theirs:
                found[Port(index, channel)] = any(one.memory_type == HOST for one in theirs)
    return found


def _readers(plan: Plan, port: Port) -> Iterator[int]:
    """Yield the nodes that read a port, also through nodes that work in some places only and give on the rest."""
    for index in plan.node_readers[port.node][port.channel]:
        yield index
        node = plan.nodes[index]
        if node.only is not None:
            yield from _readers(plan, Port(index, node.inputs.index(port)))
