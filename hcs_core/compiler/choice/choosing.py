"""Choosing a kernel for every node: by what is asked for, by what was measured, and without that by a fixed rule."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.choice.candidates import CandidateFinder, Candidates
from hcs_core.compiler.choice.plan_graph import Choices, computed_by, seconds_of, with_cheapest
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.plugins.specs import KernelSpec


def with_kernels(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a memory type and a kernel for every node, and why; and with what is in the way of one.

    What a step or a device asks for goes first. Of the kernels that are left, those are taken that make the whole
    plate cheapest, conversions included, as `Costs` were measured; without measurements numpy's, where there is one.
    """
    finder = CandidateFinder(given.plugins, given.config.device, given.machine.costs)
    nodes: list[NodePlan] = []
    open_ones: Choices = {}
    problems: list[Problem] = []
    for index, node in enumerate(plan.nodes):
        found = _fixed(node, finder)
        if isinstance(found, Problem):
            problems.append(found)
            name = str(node.asked_memory_type) if node.function is not None else ""
            nodes.append(attrs.evolve(node, memory_type=name, kernel="", version=node.version if name else ""))
        elif isinstance(found, NodePlan):
            nodes.append(found)
        else:
            before = [nodes[port.node].memory_type for port in node.inputs if port.node >= 0]
            chosen, why, others = _by_rule(node, found, before, given)
            if others:
                open_ones[index] = (chosen, *others)
            nodes.append(computed_by(node, chosen, why))
    ready = attrs.evolve(plan, nodes=tuple(nodes)).with_problems(*problems)
    return ready if ready.problems or not open_ones else with_cheapest(ready, open_ones, given)


def _fixed(node: NodePlan, finder: CandidateFinder) -> NodePlan | Candidates | Problem:
    """Return a node that has no choice, the kernels that it may have, or what is wrong with it."""
    if node.stitch is not None:
        return attrs.evolve(node, memory_type=HOST, why="a stitcher takes numpy's arrays")
    if node.function is not None:
        wrong = finder.problem_of_function(node)
        name = str(node.asked_memory_type)
        return wrong or attrs.evolve(node, memory_type=name, kernel="", why="declared by the function")
    found = finder.of(node)
    if isinstance(found, Problem) or not found.why:
        return found
    return computed_by(node, found.kernels[0], found.why)


def _by_rule(
    node: NodePlan, found: Candidates, before: Sequence[str], given: CompileInput
) -> tuple[KernelSpec, str, tuple[KernelSpec, ...]]:
    """Return the kernel that a node has unless another one is cheaper, why, and those that may be.

    numpy's where there is one, else the one that works where its image is. Only kernels that were measured are
    compared, and with numpy's only those on a device of their own: on the CPU numpy is taken, whatever was measured,
    so that a machine without a device gives the same results as any other.
    """
    costs = given.machine.costs
    wanted = node.asked_device or given.config.device
    chosen = min(found.kernels, key=lambda spec: _distance(spec, before))
    others = [
        spec for spec in found.kernels if spec is not chosen and seconds_of(spec, node, costs, wanted) is not None
    ]
    if not costs:
        return chosen, f"{costs.notice or 'no measurements'}: {_rule(chosen, before)}", ()
    if chosen.memory_type == HOST:
        others = [spec for spec in others if costs.device(spec.memory_type, wanted) != CPU]
        if not others:
            return chosen, "no other kernel was measured on a device: numpy", ()
    if seconds_of(chosen, node, costs, wanted) is not None:
        return chosen, "", tuple(others)
    if chosen.memory_type == HOST:
        return chosen, "what it costs in numpy was not measured: numpy", ()
    if not others:
        return chosen, f"not measured: {_rule(chosen, before)}", ()
    return others[0], "the only one that was measured", tuple(others[1:])


def _rule(spec: KernelSpec, before: Sequence[str]) -> str:
    return f"{spec.memory_type}, where its image is" if spec.memory_type in before else spec.memory_type


def _distance(spec: KernelSpec, before: Sequence[str]) -> tuple[bool, bool, str]:
    """Order kernels: numpy's, then where the input is already, then by name."""
    return spec.memory_type != HOST, spec.memory_type not in before, spec.memory_type
