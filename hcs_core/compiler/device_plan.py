"""What a plan says of one device: how many workers hold something there, how much, and of what is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcs_core.arrays.memory_type import CPU

if TYPE_CHECKING:
    from hcs_core.compiler.plan import Plan


@attrs.frozen(kw_only=True)
class DevicePlan:
    """A device other than the CPU, on which nodes of a plan work.

    Attributes
    ----------
    device
        Its name, such as `cuda:0`.
    workers
        How many workers hold something there.
    bytes_per_worker
        The most that one of them holds there at once, with what its process needs there beside arrays.
    free_bytes
        What was free there when the plan was made; `None` where no library says.
    """

    device: str
    workers: int
    bytes_per_worker: int
    free_bytes: int | None = None


def kind_of(device: str) -> str:
    """Return the kind of a device: `cuda` of `cuda:0`, and of `cuda` itself."""
    return device.partition(":")[0]


def is_device(device: str) -> bool:
    """Whether a node's device has a memory of its own: it is there, and is not the CPU."""
    return device not in {"", CPU}


def bound_plan(plan: Plan, device: str) -> Plan:
    """Return the plan of a worker that is bound to a device: nodes that name its kind work on it."""
    if not any(is_device(node.device) and kind_of(device) == node.device for node in plan.nodes):
        return plan
    nodes = tuple(
        attrs.evolve(node, device=device) if node.device == kind_of(device) else node for node in plan.nodes
    )
    return attrs.evolve(plan, nodes=nodes)


def devices_of(plan: Plan) -> tuple[str, ...]:
    """Return the devices other than the CPU on which nodes of a plan work, as its nodes name them, in their order."""
    return tuple(dict.fromkeys(node.device for node in plan.nodes if is_device(node.device)))
