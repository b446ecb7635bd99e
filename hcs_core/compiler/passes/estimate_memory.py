"""What estimates need of a worker's memory while planes are collected."""

from __future__ import annotations

from collections import Counter

import attrs

from hcs_core.compiler.graph.estimating import plan_before
from hcs_core.compiler.node_plan import EstimatePlan, NodePlan
from hcs_core.compiler.passes.counted_planes import Holds
from hcs_core.compiler.passes.image_bytes import SCRATCH_PLANES, block_bytes
from hcs_core.compiler.passes.peak_memory import PeakMemory, peak_memory
from hcs_core.compiler.plan import Plan


def collecting_memory(plan: Plan, *, waits_in_memory: bool, holds: Holds) -> PeakMemory:
    """Return the most that is held while planes are collected: what comes before a node, a call's scratch, arrays."""
    shapes = (*plan.well_shapes, *plan.sampled_shapes)
    sites = max((len(shape.sites) for shape in shapes), default=1)
    most = 0
    devices: Counter[str] = Counter()
    for index, node in enumerate(plan.nodes):
        for estimate in node.estimates:
            before = attrs.evolve(plan_before(plan, index), well_shapes=shapes)
            making = peak_memory(before, waits_in_memory=waits_in_memory, holds=holds)
            scratch = SCRATCH_PLANES * block_bytes(node.input, "yx")
            arrays = _arrays(node, estimate, sites) * estimate.how.collected_bytes
            most = max(most, making.total + scratch + arrays)
            devices |= Counter(making.devices)
    return PeakMemory(total=most, devices=dict(devices))


def _arrays(node: NodePlan, estimate: EstimatePlan, sites: int) -> int:
    """Return how many arrays are held: of each channel two that are merged, or those of all sampled planes."""
    channels = len(node.input.channels)
    if estimate.how.merge:
        return 2 * channels
    planes = node.input.planes * sites
    return planes if estimate.how.planes is None else min(planes, estimate.how.planes * channels)
