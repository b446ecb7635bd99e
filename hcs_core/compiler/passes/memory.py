"""The memory pass: which kernel computes each call, in which memory type, and what a worker needs at once."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.choice.choosing import with_kernels
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.passes.image_bytes import SCRATCH_PLANES, block_bytes, canvas_bytes
from hcs_core.compiler.passes.unheld_dtypes import unheld_dtypes
from hcs_core.compiler.passes.worker_memory import worker_memory
from hcs_core.compiler.plan import Plan


def memory_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a kernel for every node, and the peak memory of a worker."""
    sites = max((len(shape.sites) for shape in plan.well_shapes), default=1)
    nodes = [attrs.evolve(node, needs_bytes=_needs(plan, node, sites)) for node in plan.nodes]
    plan = with_kernels(attrs.evolve(plan, nodes=tuple(nodes)), given)
    plan = attrs.evolve(plan, nodes=_with_conversions(plan.nodes))
    plan = plan.with_problems(*unheld_dtypes(plan, given.plugins))
    peak = worker_memory(plan, given.plugins)
    return attrs.evolve(plan, peak_memory_bytes_per_worker=peak.total, waiting_bytes_per_worker=peak.waiting)


def _with_conversions(nodes: Sequence[NodePlan]) -> tuple[NodePlan, ...]:
    """Return the nodes with the memory types from which their planes come.

    A stack is filled on the host, but where all its planes are in the node's own memory type.
    """
    found = []
    for node in nodes:
        before = [nodes[port.node].memory_type if port.node >= 0 else HOST for port in node.inputs]
        if not node.plane_wise and {*before} != {node.memory_type}:
            before.append(HOST)
        others = tuple(name for name in dict.fromkeys(before) if name not in {node.memory_type, ""})
        found.append(attrs.evolve(node, converts=others if node.memory_type else ()))
    return tuple(found)


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
