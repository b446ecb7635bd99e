"""In which order a well's outputs are pulled, and what of the graph that needs.

The traversal and the plan's figures of memory follow the same rules, which is why they stand here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.plan import PLATE, NodePlan, Plan, Port


def needed_nodes(plan: Plan, outputs: Iterable[int]) -> frozenset[int]:
    """Return the nodes that the outputs at these positions are made of, images and artifacts."""
    return _upstream(plan, [port.node for index in outputs for port in plan.outputs[index].ports])


def running_nodes(plan: Plan, outputs: Iterable[int]) -> frozenset[int]:
    """Return the nodes that run where these outputs are made: what they need, and what makes artifacts."""
    makers = [index for index, node in enumerate(plan.nodes) if node.makes]
    return needed_nodes(plan, outputs) | _upstream(plan, makers)


def _upstream(plan: Plan, nodes: Iterable[int]) -> frozenset[int]:
    """Return nodes, and all that they get something of."""
    found: set[int] = set()
    left = list(nodes)
    while left:
        index = left.pop()
        if index != PLATE and index not in found:
            found.add(index)
            left.extend(port.node for port in plan.nodes[index].inputs)
            left.extend(maker for taken in plan.nodes[index].takes for maker in taken.makers)
    return frozenset(found)


def pull_order(plan: Plan, outputs: Sequence[int]) -> tuple[int, ...]:
    """Return outputs in the order in which they are pulled: by pipeline, and the end of each before its kept steps.

    What is kept on the way to the end is written while that is pulled, and nothing of it has to wait.
    """
    by_pipeline = itertools.groupby(outputs, key=lambda index: plan.outputs[index].pipeline)
    return tuple(index for _, group in by_pipeline for index in reversed(list(group)))


def made_together(plan: Plan, port: Port) -> str:
    """Return the stacked axes of the last node before a port that makes several planes at once; none: `""`."""
    while port.node != PLATE:
        node = plan.nodes[port.node]
        if node.out != "yx":
            return node.out[:-2]
        port = node.inputs[0]
    return ""


def shared_axes(plan: Plan, outputs: Iterable[int]) -> str:
    """Return the axes, of `st`, along which outputs are pulled place by place, all of them at one before the next.

    Where one of them makes all sites or timepoints at once, there are none that could be taken in turn.
    """
    together = {axis for index in outputs for axis in made_together(plan, plan.outputs[index].ports[0])}
    return "".join(itertools.takewhile(lambda axis: axis not in together, "st"))


def waiting_bytes(plan: Plan, sites: int) -> int:
    """Return the most that waits in a well with so many sites: what more than one output needs, and what is measured.

    Planes of the plate do not wait: they are read again.
    """
    order = pull_order(plan, range(len(plan.outputs)))
    shared = shared_axes(plan, order)
    pulled_at: dict[int, int] = {}
    for place, index in enumerate(order):
        for node in needed_nodes(plan, [index]):
            pulled_at.setdefault(node, place)
    wanted: dict[Port, set[int]] = {}
    for reader, place in pulled_at.items():
        for port in plan.nodes[reader].inputs:
            wanted.setdefault(port, {pulled_at[port.node] if port.node != PLATE else place}).add(place)
    total = 0
    for port, places in wanted.items():
        if port.node != PLATE and len(places) > 1:
            image = plan.nodes[port.node].output
            planes = math.prod(
                size for axis, size in image.axis_sizes(sites).items() if axis != "c" and axis not in shared
            )
            total += planes * _plane_bytes(image)
    return total + sum(_waiting_to_be_measured(node, sites) for node in plan.nodes if node.makes)


def _waiting_to_be_measured(node: NodePlan, sites: int) -> int:
    """Return what waits for a function that makes artifacts: planes of other nodes that it cannot take as they come.

    One that stacks them has a stack to wait for; one that takes artifacts waits for a stack to be done on the way.
    """
    if node.plane_wise and not node.takes:
        return 0
    together = set(node.axes) | {"z"}
    planes = math.prod(
        size for axis, size in node.input.axis_sizes(sites).items() if axis in together and axis != "c"
    )
    made = sum(port.node != PLATE for port in node.inputs) if "c" in node.axes else 1
    return planes * made * _plane_bytes(node.input) if any(port.node != PLATE for port in node.inputs) else 0


def _plane_bytes(image: ImagePlan) -> int:
    return math.prod(image.shape) * np.dtype(image.dtype).itemsize
