"""What a worker holds beside what it would if kernels got their planes one by one."""

from __future__ import annotations

import math
from collections import Counter

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import PLATE
from hcs_core.compiler.passes.counted_work import ON_HOST, Holds, Place, scratch_bytes, size_of
from hcs_core.compiler.plan import Plan


def batch_memory(plan: Plan, holds: Holds) -> Counter[str]:
    """Return what batches add at most, by room, to what is counted for planes that come one by one.

    Nodes that hand batches on to each other do so one after the other: of each such chain, the largest call counts,
    and the planes that wait for several readers.
    """
    more: Counter[str] = Counter()
    sites = max((len(shape.sites) for shape in plan.well_shapes), default=1)
    for chain in _chains(plan):
        room, most, waiting, own = ON_HOST, 0, 0, 0
        for index in chain:
            node = plan.nodes[index]
            room = Place.of(node).room
            taken, made = (size_of(image, node.memory_type, holds) for image in (node.input, node.output))
            got, given = _planes(node.input, node.axes, sites), _planes(node.output, node.out, sites)
            call = got * taken.held + given * made.held + scratch_bytes(node, taken, got)
            # Collected on the host and put together there, before and after.
            own = max(own, 2 * got * taken.own + 2 * given * made.own)
            most = max(most, (node.batch - 1) * call)
            waiting += (node.batch - 1) * given * made.held * _is_read_twice(plan, index)
        more[room] += most + waiting
        more[ON_HOST] += own * (max(plan.nodes[index].batch for index in chain) - 1)
    return more


def _planes(image: ImagePlan, axes: str, sites: int) -> int:
    """Return of how many planes what a call gets, or gives, is made."""
    sizes = image.axis_sizes(sites)
    return math.prod(sizes[axis] for axis in axes[:-2])


def _is_read_twice(plan: Plan, index: int) -> bool:
    return any(len(readers) > 1 for readers in plan.node_readers[index])


def _chains(plan: Plan) -> list[list[int]]:
    """Return the nodes with batches, together with those that they hand them on to."""
    chains: list[list[int]] = []
    for index, node in enumerate(plan.nodes):
        if node.batch == 1:
            continue
        before = {port.node for port in node.inputs} - {PLATE} if node.plane_wise else set()
        same = [chain for chain in chains if before & set(chain)]
        chains = [chain for chain in chains if chain not in same]
        chains.append([*(number for chain in same for number in chain), index])
    return chains
