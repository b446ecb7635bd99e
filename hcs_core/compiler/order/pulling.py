"""In which order a well's outputs are pulled, and what of the graph that needs.

The traversal and the plan's figures of memory follow the same rules, which is why they stand here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.plan import Plan


def needed_nodes(plan: Plan, outputs: Iterable[int]) -> frozenset[int]:
    """Return the nodes that the outputs at these positions are made of, images and artifacts."""
    return plan.upstream(port.node for index in outputs for port in plan.outputs[index].ports)


def running_nodes(plan: Plan, outputs: Iterable[int]) -> frozenset[int]:
    """Return the nodes that run where these outputs are made: what they need, what makes artifacts, and positions."""
    makers = [index for index, node in enumerate(plan.nodes) if node.makes or node.places]
    return needed_nodes(plan, outputs) | plan.upstream(makers)


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


def shared_axes(plan: Plan, outputs: Sequence[int]) -> str:
    """Return the axes, of `st`, along which outputs are pulled place by place, all of them at one before the next.

    Where one of them makes all sites or timepoints at once, or of all sites a mosaic, there are none that could be
    taken in turn.
    """
    if len({plan.outputs[index].image.is_mosaic for index in outputs}) > 1:
        return ""
    together = {axis for index in outputs for axis in made_together(plan, plan.outputs[index].ports[0])}
    return "".join(itertools.takewhile(lambda axis: axis not in together, "st"))
