"""Images of a dtype that a memory type cannot hold at all, not even in a wider one: told before anything runs."""

from __future__ import annotations

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.errors import HcsError
from hcs_core.plugins.manager import PluginManager


def unheld_dtypes(plan: Plan, plugins: PluginManager) -> list[Problem]:
    """Return a problem for each node whose image, or whose result, its memory type cannot hold."""
    problems = []
    for node in plan.nodes:
        dtype = unheld_by(node.memory_type, node, plugins)
        if dtype:
            problems.append(_problem(node, dtype))
    return problems


def unheld_by(memory_type: str, node: NodePlan, plugins: PluginManager) -> str:
    """Return the dtype, of a node's image or of its result, that a memory type cannot hold; empty: it holds both."""
    if memory_type in {"", HOST} or memory_type not in plugins.memory_types:
        return ""
    registry = plugins.memory_types
    try:
        made = registry.make(memory_type)
        with registry.calling(memory_type, "holds"):
            return next((dtype for dtype in _dtypes(node) if not made.holds(dtype)), "")
    # A memory type that cannot be made is a problem that the devices pass tells.
    except HcsError:
        return ""


def _dtypes(node: NodePlan) -> tuple[str, ...]:
    return (node.input.dtype,) if node.passes_on else (node.input.dtype, node.output.dtype)


def _problem(node: NodePlan, dtype: str) -> Problem:
    whose = "its image is" if dtype == node.input.dtype else "it returns"
    return Problem(
        step=node.step,
        function=node.operation,
        parameter="memory",
        message=f"{whose} {dtype}, which the memory type {node.memory_type!r} cannot hold, not even in a wider one.",
        hint="Convert the image in a step before, or let numpy compute this one.",
        found=dtype,
        expected=f"a dtype that {node.memory_type} holds",
    )
