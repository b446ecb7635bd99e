"""The devices that a plan's nodes name, and the plan of a worker that is bound to one of them."""

from __future__ import annotations

import attrs

from hcs_core.arrays.device_names import has_own_memory, kind_of
from hcs_core.compiler.plan import Plan


def bound_plan(plan: Plan, device: str) -> Plan:
    """Return the plan of a worker that is bound to a device: nodes that name its kind work on it."""
    kind = kind_of(device)
    if not has_own_memory(kind) or all(node.device != kind for node in plan.nodes):
        return plan
    nodes = tuple(attrs.evolve(node, device=device) if node.device == kind else node for node in plan.nodes)
    return attrs.evolve(plan, nodes=nodes)


def devices_of(plan: Plan) -> tuple[str, ...]:
    """Return the devices other than the CPU on which nodes of a plan work, as its nodes name them, in their order."""
    return tuple(dict.fromkeys(node.device for node in plan.nodes if has_own_memory(node.device)))
