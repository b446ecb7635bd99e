"""What estimates need of a worker's memory: collecting planes, and keeping the images that were estimated."""

from __future__ import annotations

import math

import attrs
import numpy as np

from hcs_core.compiler.graph.estimating import plan_before
from hcs_core.compiler.node_plan import EstimatePlan, NodePlan
from hcs_core.compiler.passes.peak_memory import SCRATCH_PLANES, block_bytes, peak_memory
from hcs_core.compiler.plan import Plan


def collecting_bytes(plan: Plan, *, waits_in_memory: bool) -> int:
    """Return the most that is held while planes are collected: what comes before a node, a call's scratch, arrays."""
    shapes = (*plan.well_shapes, *plan.sampled_shapes)
    sites = max((len(shape.sites) for shape in shapes), default=1)
    most = 0
    for index, node in enumerate(plan.nodes):
        for estimate in node.estimates:
            before = attrs.evolve(plan_before(plan, index), well_shapes=shapes)
            making = peak_memory(before, waits_in_memory=waits_in_memory).total
            scratch = SCRATCH_PLANES * block_bytes(node.input, "yx")
            most = max(most, making + scratch + _arrays(node, estimate, sites) * estimate.how.collected_bytes)
    return most


def _arrays(node: NodePlan, estimate: EstimatePlan, sites: int) -> int:
    """Return how many arrays are held: of each channel two that are merged, or those of all sampled planes."""
    channels = len(node.input.channels)
    if estimate.how.merge:
        return 2 * channels
    planes = node.input.planes * sites
    return planes if estimate.how.planes is None else min(planes, estimate.how.planes * channels)


def estimated_images_bytes(plan: Plan) -> int:
    """Return what the images hold that were estimated: float32, kept by a worker to its end."""
    return sum(
        math.prod(node.input.shape) * np.dtype(np.float32).itemsize * len(node.input.channels)
        for node in plan.nodes
        for estimate in node.estimates
        if estimate.is_image
    )
