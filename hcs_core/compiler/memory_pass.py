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

WEIGHTS_BYTES = 8
"""What a stitcher may hold of each pixel of a mosaic beside it: a sum and a weight in float32."""


def memory_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a kernel for every node, and the peak memory of a worker."""
    problems: list[Problem] = []
    nodes: list[NodePlan] = []
    sites = max((len(shape.sites) for shape in plan.well_shapes), default=1)
    host = next((spec.name for spec in given.plugins.memory_types if spec.library == HOST_LIBRARY), "")
    for node in plan.nodes:
        if node.stitch is not None:
            nodes.append(attrs.evolve(node, memory_type=host, needs_bytes=_stitching(plan, node, sites)))
            continue
        before = [nodes[port.node].memory_type for port in node.inputs if port.node >= 0]
        made = _with_kernel(node, before, given.plugins, problems)
        nodes.append(attrs.evolve(made, needs_bytes=_needs(plan, node, sites)))
    plan = attrs.evolve(plan, nodes=tuple(nodes))
    return attrs.evolve(plan, peak_memory_bytes_per_worker=_peak(plan)).with_problems(*problems)


def _with_kernel(node: NodePlan, before: list[str], plugins: PluginManager, problems: list[Problem]) -> NodePlan:
    if node.function is not None:
        name = str(node.asked_memory_type)
        wrong = memory_type_known(name, plugins)
        if wrong:
            problems.append(Problem(step=node.step, function=node.operation, parameter="memory", message=wrong))
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
            )
        )
        return node
    chosen = min(usable, key=lambda spec: _distance(spec, before, plugins))
    return attrs.evolve(node, memory_type=chosen.memory_type, kernel=chosen.name, version=chosen.version)


def _distance(spec: KernelSpec, before: list[str], plugins: PluginManager) -> tuple[bool, bool, str]:
    """Order kernels: where the input is already, then where planes arrive, then by name."""
    host = plugins.memory_types.get(spec.memory_type).library == HOST_LIBRARY
    return (spec.memory_type not in before if before else not host, not host, spec.memory_type)


def _needs(plan: Plan, node: NodePlan, sites: int) -> int:
    """Return what a kernel holds at once: what it gets and gives, and its scratch."""
    taken = _block_bytes(plan.largest(node.input), node.axes, sites)
    given = _block_bytes(plan.largest(node.output), node.out, sites)
    return taken + given + SCRATCH_PLANES * _block_bytes(plan.largest(node.input), "yx")


def _stitching(plan: Plan, node: NodePlan, sites: int) -> int:
    """Return what a stitcher holds at once: to fuse, a canvas and a tile; to compare tiles, those of a well."""
    tile = _block_bytes(node.input, "yx")
    if node.places:
        return tile * (sites + SCRATCH_PLANES) if node.inputs else 0
    height, width = plan.largest(node.output).shape
    canvas = height * width * (np.dtype(node.output.dtype).itemsize + WEIGHTS_BYTES)
    return canvas + tile * (1 + SCRATCH_PLANES)


def _block_bytes(image: ImagePlan, axes: str, sites: int = 1) -> int:
    """Return the bytes of what a kernel gets or gives at once, in a well with so many sites."""
    sizes = {**image.axis_sizes(sites), "y": image.shape[0], "x": image.shape[1]}
    return math.prod(sizes[axis] for axis in axes) * np.dtype(image.dtype).itemsize


def _writing(plan: Plan, output: OutputPlan) -> int:
    """Return what is held while a plane is written: it, its pyramid (a third), and both once more as encoded bytes.

    Planes that share a chunk are held with their pyramids until the last of them has come.
    """
    plane = _block_bytes(plan.largest(output.image), "yx")
    layout = output.image_layout
    together = math.prod(layout.chunk[:3]) if layout else 1
    return plane * 7 // 3 if together == 1 else plane * 4 // 3 + together * plane * 7 // 3


def _peak(plan: Plan) -> int:
    """Return the most that a worker holds: the largest node or writing a plane, the plane read ahead, what waits."""
    if not plan.sources:
        return 0
    plane = max(_block_bytes(source, "yx") for source in plan.sources)
    writing = max((_writing(plan, output) for output in plan.outputs), default=0)
    computing = max((node.needs_bytes for node in plan.nodes), default=0)
    sites = max((len(shape.sites) for shape in plan.well_shapes), default=1)
    return plane + max(writing, computing) + waiting_bytes(plan, sites)
