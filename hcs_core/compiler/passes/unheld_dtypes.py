"""Images of a dtype that a memory type cannot hold at all, not even in a wider one: told before anything runs."""

from __future__ import annotations

from hcs_core.compiler.held_dtypes import unheld_by
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.plugins.manager import PluginManager


def unheld_dtypes(plan: Plan, plugins: PluginManager) -> list[Problem]:
    """Return a problem for each node whose image, or whose result, its memory type cannot hold."""
    problems = []
    for node in plan.nodes:
        dtype = unheld_by(node.memory_type, node, plugins)
        if dtype:
            problems.append(_problem(node, dtype))
    return problems


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
