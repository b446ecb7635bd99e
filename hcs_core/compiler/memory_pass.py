"""The memory pass: which kernel computes each call, in which memory type, and what a worker needs at once."""

from __future__ import annotations

import math

import attrs
import numpy as np

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.operations import memory_type_known
from hcs_core.compiler.plan import NodePlan, OutputPlan, Plan, Problem
from hcs_core.compiler.pulling import waiting_bytes
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.specs import KernelSpec

HOST_LIBRARY = "numpy"
"""The library of the memory type in which planes arrive from a reader."""

SCRATCH_PLANES = 2
"""The planes that a kernel may hold beside its input and its output."""


def memory_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a kernel for every node, and the peak memory of a worker."""
    problems: list[Problem] = []
    nodes: list[NodePlan] = []
    sites = max((len(shape.sites) for shape in plan.well_shapes), default=1)
    for node in plan.nodes:
        before = [nodes[port.node].memory_type for port in node.inputs if port.node >= 0]
        nodes.append(_with_kernel(node, before, given.plugins, problems, sites))
    plan = attrs.evolve(plan, nodes=tuple(nodes))
    return attrs.evolve(plan, peak_memory_bytes_per_worker=_peak(plan)).with_problems(*problems)


def _with_kernel(
    node: NodePlan, before: list[str], plugins: PluginManager, problems: list[Problem], sites: int
) -> NodePlan:
    if node.function is not None:
        name = str(node.asked_memory_type)
        wrong = memory_type_known(name, plugins)
        if wrong:
            problems.append(Problem(step=node.step, function=node.operation, parameter="memory", message=wrong))
        return _sized(node, name, "", node.version, sites)
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
            )
        )
        return node
    chosen = min(usable, key=lambda spec: _distance(spec, before, plugins))
    return _sized(node, chosen.memory_type, chosen.name, chosen.version, sites)


def _distance(spec: KernelSpec, before: list[str], plugins: PluginManager) -> tuple[bool, bool, str]:
    """Order kernels: where the input is already, then where planes arrive, then by name."""
    host = plugins.memory_types.get(spec.memory_type).library == HOST_LIBRARY
    return (spec.memory_type not in before if before else not host, not host, spec.memory_type)


def _sized(node: NodePlan, memory_type: str, kernel: str, version: str, sites: int) -> NodePlan:
    taken = _block_bytes(node.input, node.axes, sites)
    given = _block_bytes(node.output, node.out, sites)
    scratch = SCRATCH_PLANES * _block_bytes(node.input, "yx")
    return attrs.evolve(
        node,
        memory_type=memory_type,
        kernel=kernel,
        version=version,
        needs_bytes=taken + given + scratch,
    )


def _block_bytes(image: ImagePlan, axes: str, sites: int = 1) -> int:
    """Return the bytes of what a kernel gets or gives at once, in a well with so many sites."""
    sizes = {**image.axis_sizes(sites), "y": image.shape[0], "x": image.shape[1]}
    return math.prod(sizes[axis] for axis in axes) * np.dtype(image.dtype).itemsize


def _writing(output: OutputPlan) -> int:
    """Return what is held while a plane is written: it, its pyramid (a third), and both once more as encoded bytes.

    Planes that share a chunk are held with their pyramids until the last of them has come.
    """
    plane = _block_bytes(output.image, "yx")
    together = math.prod(output.layout.image.chunk[:3]) if output.layout else 1
    return plane * 7 // 3 if together == 1 else plane * 4 // 3 + together * plane * 7 // 3


def _collecting(plan: Plan) -> int:
    """Return the most that is held while planes are collected: a node before or a plane with its scratch, and arrays.

    Arrays that are merged are two for each channel; others are kept for all planes that are sampled of a well.
    """
    most = 0
    for index, node in enumerate(plan.nodes):
        before = max((plan.nodes[other].needs_bytes for other in plan.ancestors(index)), default=0)
        for estimate in node.estimates:
            sites = max((len(shape.sites) for shape in (*plan.well_shapes, *plan.sampled_shapes)), default=1)
            planes = min(node.input.planes * sites, (estimate.how.planes or math.inf) * len(node.input.channels))
            arrays = 2 * len(node.input.channels) if estimate.how.merge else int(planes)
            plane = (1 + SCRATCH_PLANES) * _block_bytes(node.input, "yx")
            most = max(most, max(before, plane) + arrays * estimate.how.collected_bytes)
    return most


def _estimated_images(plan: Plan) -> int:
    """Return what the images hold that were estimated: float32, kept by a worker to its end."""
    return sum(
        math.prod(node.input.shape) * np.dtype(np.float32).itemsize * len(node.input.channels)
        for node in plan.nodes
        for estimate in node.estimates
        if estimate.is_image
    )


def _peak(plan: Plan) -> int:
    """Return the most that a worker holds: the largest node or writing a plane, the plane read ahead, what waits."""
    if not plan.sources:
        return 0
    plane = max(_block_bytes(source, "yx") for source in plan.sources)
    writing = max(map(_writing, plan.outputs), default=0)
    computing = max((node.needs_bytes for node in plan.nodes), default=0)
    sites = max((len(shape.sites) for shape in plan.well_shapes), default=1)
    most = max(writing, computing, _collecting(plan))
    return plane + most + waiting_bytes(plan, sites) + _estimated_images(plan)
