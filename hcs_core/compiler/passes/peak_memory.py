"""The most memory that a worker needs: a well's planes are gone through in the order of the run, and counted.

What is held at once follows from that order alone, so the figure is not an estimate of it: blocks that are being
collected while their planes are made, planes that wait for readers to come, what a kernel and a writer need. It is
counted apart for the host and for each device.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.passes.counted_planes import ON_HOST, Holds, room_of
from hcs_core.compiler.passes.counted_work import CountedWork
from hcs_core.compiler.passes.image_bytes import block_bytes, shared_chunk_bytes
from hcs_core.compiler.place import Place
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.plugins.parameter import GivenImage


@attrs.frozen(kw_only=True)
class PeakMemory:
    """The most bytes that a worker holds.

    `total` is what the host has of it, `waiting` what of that are planes which wait between nodes, `devices` what it
    holds on each device, as the plan's nodes name them.
    """

    total: int = 0
    waiting: int = 0
    devices: Mapping[str, int] = attrs.field(factory=dict)


def as_it_is(memory_type: str, dtype: str) -> str:  # noqa: ARG001 - as `Holds` says
    """Return the dtype itself: what a memory type holds images in that has them all."""
    return dtype


def peak_memory(plan: Plan, *, waits_in_memory: bool = True, holds: Holds = as_it_is) -> PeakMemory:
    """Return what a worker needs for any of a plan's wells.

    Parameters
    ----------
    plan
        A plan with stores and readers; nodes that have no device yet are taken to work on the host.
    waits_in_memory
        Whether the backend of intermediates holds planes in memory.
    holds
        In which dtype memory types hold images.
    """
    if not plan.sources or not plan.outputs:
        return PeakMemory()
    # Without gaps: what a site lacks is never held. Of mosaics, the largest.
    whole = attrs.evolve(_at_different_times(_at_largest(plan)), gaps=((),))
    peak: Counter[str] = Counter()
    waiting = 0
    for sites, well in _different_wells(plan):
        counted = CountedWork(whole, holds, waits_in_memory=waits_in_memory)
        Traversal(whole, WellShape(sites=sites, gaps=(0,) * len(sites)), counted, well).run()
        peak |= counted.most
        waiting = max(waiting, counted.most_waiting)
    peak.update(_standing(plan))
    total = peak.pop(ON_HOST, 0)
    return PeakMemory(total=total, waiting=waiting, devices=dict(peak))


def _at_largest(plan: Plan) -> Plan:
    """Return the plan with mosaics as large as they are in the well that has the largest."""

    def largest(node: NodePlan) -> NodePlan:
        return attrs.evolve(node, input=plan.largest(node.input), output=plan.largest(node.output))

    outputs = tuple(attrs.evolve(output, image=plan.largest(output.image)) for output in plan.outputs)
    return attrs.evolve(plan, nodes=tuple(map(largest, plan.nodes)), outputs=outputs)


def _different_wells(plan: Plan) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield sites that stand for those of all wells, for each well that nodes or outputs tell apart and any other.

    Where no node stacks sites they are worked on apart, and of those that nodes do not tell apart one stands for all;
    or as many as planes that are made together are of.
    """
    every = dict.fromkeys(shape.sites for shape in plan.well_shapes)
    if not any("s" in node.axes for node in plan.nodes):
        there = sorted(set(itertools.chain.from_iterable(every)))
        times = min(len(source.timepoints) for source in plan.sources)
        every = {_different(there, _told_apart(plan, "site"), _in_a_group(plan, times)): None}
    named = _told_apart(plan, "well")
    limits = [frozenset(output.wells) for output in plan.outputs if output.wells is not None]
    kinds: dict[tuple[str, tuple[bool, ...]], str] = {}
    for well in plan.well_names if named or limits else ("",):
        kind = (well if well in named else "", tuple(well in wells for wells in limits))
        kinds.setdefault(kind, well)
    yield from itertools.product(every, kinds.values())


def _at_different_times(plan: Plan) -> Plan:
    """Return the plan at timepoints that stand for all, where they are worked on apart: where no node stacks them.

    Nor sites: what makes those at once is asked for all timepoints before the next output is.
    """
    if any({"s", "t"}.intersection(node.axes) for node in plan.nodes):
        return plan
    kept: set[int] = set()
    for source in plan.sources:
        kept.update(_different(source.timepoints, _told_apart(plan, "timepoint"), _in_a_group(plan)))

    def at_these(image: ImagePlan) -> ImagePlan:
        return attrs.evolve(image, timepoints=tuple(time for time in image.timepoints if time in kept))

    return attrs.evolve(
        plan,
        sources=tuple(map(at_these, plan.sources)),
        nodes=tuple(
            attrs.evolve(node, input=at_these(node.input), output=at_these(node.output)) for node in plan.nodes
        ),
        outputs=tuple(attrs.evolve(output, image=at_these(output.image)) for output in plan.outputs),
    )


def _told_apart(plan: Plan, component: str) -> tuple[str | int, ...]:
    """Return the values of a component at which some node works alone."""
    found = {node.only.value for node in plan.nodes if node.only is not None and node.only.component == component}
    return tuple(sorted(found, key=str))


def _different(there: Sequence[int], told_apart: Sequence[str | int], alike: int) -> tuple[int, ...]:
    """Return the first places that nodes do not tell apart from others, so many, and all that they do."""
    others = [place for place in there if place not in told_apart]
    return tuple(sorted([*(place for place in there if place in told_apart), *others[:alike]]))


def _in_a_group(plan: Plan, times: int = 1) -> int:
    """Return of how many places, with so many timepoints each, the planes are that some node makes together."""
    largest = max((node.batch for node in plan.nodes), default=1)
    if largest == 1:
        return 1
    fewest = min(len(node.output.channels) * len(node.output.z_indexes) for node in plan.nodes)
    # A group need not begin with the first plane of a place.
    return math.ceil(largest / (fewest * times)) + 1


def _standing(plan: Plan) -> Counter[str]:
    """Return what is held all the time, by room: a plane that is read ahead, given images, and shared chunks.

    On a device each node has a copy of the images that it is given or takes by name, for each of its channels.
    """
    images: dict[str, int] = {}
    held: Counter[str] = Counter()
    for node in plan.nodes:
        given = {value.digest: value.pixels.nbytes for _, value in node.parameters if isinstance(value, GivenImage)}
        images |= given
        room = room_of(Place.of(node))
        if room != ON_HOST:
            taken = sum(part.kind == ArtifactKind.IMAGE for part in node.takes) * _floats(node.input)
            held[room] += (sum(given.values()) + taken) * len(node.input.channels) + estimated_bytes(node)
    held[ON_HOST] += max(block_bytes(source, "yx") for source in plan.sources) + sum(images.values())
    held[ON_HOST] += sum(map(shared_chunk_bytes, plan.outputs))
    return held


def estimated_bytes(node: NodePlan) -> int:
    """Return what the images hold that are estimated for a node: float32, for each of its channels, to the end."""
    return _floats(node.input) * len(node.input.channels) * sum(estimate.is_image for estimate in node.estimates)


def _floats(image: ImagePlan) -> int:
    return math.prod(image.shape) * np.dtype(np.float32).itemsize
