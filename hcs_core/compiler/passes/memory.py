"""The memory pass: which kernel computes each call, in which memory type, and what a worker needs at once."""

from __future__ import annotations

import attrs

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.graph.operations import memory_type_known
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.passes.device_choice import Devices
from hcs_core.compiler.passes.device_fallback import fallback_of
from hcs_core.compiler.passes.estimate_memory import collecting_bytes, estimated_images_bytes
from hcs_core.compiler.passes.peak_memory import SCRATCH_PLANES, block_bytes, canvas_bytes, peak_memory
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.specs import KernelSpec


def memory_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a kernel for every node, and the peak memory of a worker."""
    problems: list[Problem] = []
    nodes: list[NodePlan] = []
    devices = Devices(given.plugins)
    sites = max((len(shape.sites) for shape in plan.well_shapes), default=1)
    for node in plan.nodes:
        sized = attrs.evolve(node, needs_bytes=_needs(plan, node, sites))
        if node.stitch is not None:
            nodes.append(attrs.evolve(sized, memory_type=HOST))
            continue
        before = [nodes[port.node].memory_type for port in node.inputs if port.node >= 0]
        wanted = node.asked_device or given.config.device
        nodes.append(_with_kernel(sized, before, given.plugins, problems, devices, wanted))
    if given.config.device_fallback:
        nodes = [attrs.evolve(node, fallback=fallback_of(node, given.plugins, devices)) for node in nodes]
    plan = attrs.evolve(plan, nodes=_with_conversions(nodes))
    in_memory = _in_memory(plan.intermediate_backend, given.plugins)
    peak = peak_memory(plan, waits_in_memory=in_memory)
    collecting = collecting_bytes(plan, waits_in_memory=in_memory)
    return attrs.evolve(
        plan,
        peak_memory_bytes_per_worker=max(peak.total, collecting) + estimated_images_bytes(plan),
        waiting_bytes_per_worker=peak.waiting,
    ).with_problems(*problems)


def _in_memory(backend: str, plugins: PluginManager) -> bool:
    """Whether planes between nodes are held in memory; a backend that is not there counts as one that does."""
    return backend not in plugins.storage_backends or not plugins.storage_backends.get(backend).durable


def _with_conversions(nodes: list[NodePlan]) -> tuple[NodePlan, ...]:
    """Return the nodes with the memory types from which their planes come; a stack is filled on the host."""
    found = []
    for node in nodes:
        before = [nodes[port.node].memory_type if port.node >= 0 else HOST for port in node.inputs]
        if not node.plane_wise:
            before.append(HOST)
        others = tuple(name for name in dict.fromkeys(before) if name not in {node.memory_type, ""})
        found.append(attrs.evolve(node, converts=others if node.memory_type else ()))
    return tuple(found)


def _with_kernel(
    node: NodePlan,
    before: list[str],
    plugins: PluginManager,
    problems: list[Problem],
    devices: Devices,
    wanted: str | None,
) -> NodePlan:
    if node.function is not None:
        name = str(node.asked_memory_type)
        wrong = memory_type_known(name, plugins)
        if wrong:
            problems.append(_unknown_memory_type(node, name, wrong, plugins))
        return attrs.evolve(node, memory_type=name, kernel="")
    there = [spec for spec in plugins.kernels if spec.operation == node.operation]
    usable = [spec for spec in there if spec.memory_type in plugins.memory_types]
    if node.asked_memory_type is not None:
        usable = [spec for spec in usable if spec.memory_type == node.asked_memory_type]
    if not usable:
        asked = node.asked_memory_type or "any installed memory type"
        problems.append(
            Problem(
                step=node.step,
                function=node.operation,
                parameter="memory",
                message=f"there is no kernel of it in {asked}.",
                hint=f"There are kernels in {', '.join(spec.memory_type for spec in there)}.",
                found=asked,
                expected=", ".join(spec.memory_type for spec in there),
            )
        )
        return attrs.evolve(node, memory_type="", kernel="", version="")
    if wanted is not None:
        # Where some of them have the device that is asked for, the others are out of the question.
        usable = [spec for spec in usable if devices.has(spec.memory_type, wanted)] or usable
    chosen = min(usable, key=lambda spec: _distance(spec, before))
    return attrs.evolve(node, memory_type=chosen.memory_type, kernel=chosen.name, version=chosen.version)


def _unknown_memory_type(node: NodePlan, name: str, wrong: str, plugins: PluginManager) -> Problem:
    return Problem(
        step=node.step,
        function=node.operation,
        parameter="memory",
        message=wrong,
        hint="Or declare the function for one that is there.",
        found=name,
        expected=", ".join(plugins.memory_types.names()),
    )


def _distance(spec: KernelSpec, before: list[str]) -> tuple[bool, bool, str]:
    """Order kernels: where the input is already, then where planes arrive, then by name."""
    host = spec.memory_type == HOST
    return (spec.memory_type not in before if before else not host, not host, spec.memory_type)


def _needs(plan: Plan, node: NodePlan, sites: int) -> int:
    """Return what a node holds at once: what it gets and gives, and its scratch."""
    taken, made = plan.largest(node.input), plan.largest(node.output)
    scratch = SCRATCH_PLANES * block_bytes(taken, "yx")
    if node.places:
        # A stitcher that compares tiles may hold all of them.
        return block_bytes(taken, "syx", sites) + scratch if node.inputs else 0
    if node.stitch is not None:
        return canvas_bytes(made) + block_bytes(taken, "yx") + scratch
    given = 0 if node.passes_on else block_bytes(made, node.out, sites)
    return block_bytes(taken, node.axes, sites) + given + scratch
