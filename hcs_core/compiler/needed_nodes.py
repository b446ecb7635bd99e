"""Which nodes of a plan have to run: those whose images or artifacts are kept, and what they are made of."""

from __future__ import annotations

from hcs_core.compiler.plan import PLATE, Plan


def needed_nodes(plan: Plan) -> frozenset[int]:
    """Return the nodes that lead to a kept output or an artifact; nobody reads what the others would make."""
    waiting = [port.node for output in plan.outputs for port in output.ports]
    waiting += [index for index, node in enumerate(plan.nodes) if node.makes]
    needed: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index == PLATE or index in needed:
            continue
        needed.add(index)
        node = plan.nodes[index]
        waiting += [port.node for port in node.inputs]
        waiting += [maker for taken in node.takes for maker in taken.makers]
    return frozenset(needed)
