"""Kernels that stack channels or sites and cannot do without one: told before anything runs."""

from __future__ import annotations

import itertools
from collections.abc import Collection

from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.order.presence import Block, PlaneKey, Presence, places_of
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.well_shape import WellShape


def refusals(plan: Plan, doubtful: Collection[int] = ()) -> list[Problem]:
    """Return a problem for each node that would get a stack in which a channel or a site is absent.

    Of `doubtful` nodes nothing is said: a step before them is wrong itself.
    """
    ragged = [index for index, shape in enumerate(plan.well_shapes) if len(plan.sources) > 1 or plan.has_gaps(shape)]
    of_shape = {shape: well for well, shape in reversed(plan.wells)}
    problems = []
    for number, node in enumerate(plan.nodes):
        if number in doubtful or node.masks or not {"c", "s"}.intersection(node.axes):
            continue
        for index in ragged:
            found = _incomplete(plan, node, plan.well_shapes[index], of_shape[index])
            if found is not None:
                problems.append(_problem(node, of_shape[index], found))
                break
    return problems


def _incomplete(plan: Plan, node: NodePlan, shape: WellShape, well: str) -> Block | None:
    """Return the first block of a well in which something is absent."""
    presence = Presence(plan, shape, well)
    every = places_of(node.output, shape.sites)
    for site, timepoint, z_index in itertools.product(every["s"], every["t"], every["z"]):
        key = PlaneKey(site, timepoint, z_index)
        block = presence.block(node, 0, key)
        if presence.works(node, key) and any(block.present) and not block.is_whole:
            return block
    return None


def _problem(node: NodePlan, well: str, block: Block) -> Problem:
    channel, absent = next(cell for cell, is_there in zip(block.cells, block.present, strict=True) if not is_there)
    name = node.input.channels[channel].name
    return Problem(
        step=node.step,
        function=node.operation,
        message=f"it needs every plane of its stack, and in well {well}, site {absent.site}, z {absent.z_index}, "
        f"t {absent.timepoint} the channel {name!r} has none.",
        hint="Project z first, or select the channels, z or sites that are whole.",
        found=f"no {name} in well {well}, site {absent.site}, z {absent.z_index}, t {absent.timepoint}",
        expected=f"every plane of its stack ({node.axes})",
    )
