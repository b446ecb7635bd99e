"""The most memory that a worker needs: a well's planes are gone through in the order of the run, and counted.

What is held at once follows from that order alone, so the figure is not an estimate of it: blocks that are being
collected while their planes are made, planes that wait for readers to come, what a kernel and a writer need.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import PLATE, NodePlan, Port
from hcs_core.compiler.order.presence import Block, PlaneKey, made_shape
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.step_plan import OutputPlan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.plugins.parameter import GivenImage

SCRATCH_PLANES = 2
"""The planes that a kernel may hold beside its input and its output."""


WEIGHTS_BYTES = 8
"""What a stitcher may hold of each pixel of a mosaic beside it: a sum and a weight in float32."""


@attrs.frozen(kw_only=True)
class PeakMemory:
    """The most bytes that a worker holds, and the most of them that are planes which wait between nodes."""

    total: int = 0
    waiting: int = 0


def peak_memory(plan: Plan, *, waits_in_memory: bool = True) -> PeakMemory:
    """Return what a worker needs for any of a plan's wells.

    Parameters
    ----------
    plan
        A plan with stores and readers.
    waits_in_memory
        Whether the backend of intermediates holds planes in memory.
    """
    if not plan.sources or not plan.outputs:
        return PeakMemory()
    # Without gaps: what a site lacks is never held. Of mosaics, the largest.
    whole = attrs.evolve(_at_different_times(_at_largest(plan)), gaps=((),))
    peak = waiting = 0
    for sites, well in _different_wells(plan):
        counted = _Counted(whole, waits_in_memory=waits_in_memory)
        Traversal(whole, WellShape(sites=sites, gaps=(0,) * len(sites)), counted, well).run()
        peak, waiting = max(peak, counted.most), max(waiting, counted.most_waiting)
    return PeakMemory(total=peak + _standing(plan), waiting=waiting)


def block_bytes(image: ImagePlan, axes: str, sites: int = 1) -> int:
    """Return the bytes of what a kernel gets or gives at once, in a well with so many sites."""
    sizes = {**image.axis_sizes(sites), "y": image.shape[0], "x": image.shape[1]}
    return math.prod(sizes[axis] for axis in axes) * np.dtype(image.dtype).itemsize


def canvas_bytes(image: ImagePlan) -> int:
    """Return the bytes of a mosaic that is being made, and of what a stitcher may hold of its pixels beside it."""
    height, width = image.shape
    return block_bytes(image, "yx") + height * width * WEIGHTS_BYTES


def _at_largest(plan: Plan) -> Plan:
    """Return the plan with mosaics as large as they are in the well that has the largest."""

    def largest(node: NodePlan) -> NodePlan:
        return attrs.evolve(node, input=plan.largest(node.input), output=plan.largest(node.output))

    outputs = tuple(attrs.evolve(output, image=plan.largest(output.image)) for output in plan.outputs)
    return attrs.evolve(plan, nodes=tuple(map(largest, plan.nodes)), outputs=outputs)


def _different_wells(plan: Plan) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield sites that stand for those of all wells, for each well that nodes or outputs tell apart and any other.

    Where no node stacks sites they are worked on apart, and of those that nodes do not tell apart one stands for all.
    """
    every = dict.fromkeys(shape.sites for shape in plan.well_shapes)
    if not any("s" in node.axes for node in plan.nodes):
        there = sorted(set(itertools.chain.from_iterable(every)))
        every = {_different(there, _told_apart(plan, "site")): None}
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
        kept.update(_different(source.timepoints, _told_apart(plan, "timepoint")))

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


def _different(there: Sequence[int], told_apart: Sequence[str | int]) -> tuple[int, ...]:
    """Return the first place that nodes do not tell apart from others, and all that they do."""
    others = [place for place in there if place not in told_apart]
    return tuple(sorted([*(place for place in there if place in told_apart), *others[:1]]))


def _standing(plan: Plan) -> int:
    """Return what is held all the time: a plane that is read ahead, given images, and planes that share a chunk."""
    ahead = max(block_bytes(source, "yx") for source in plan.sources)
    images: dict[str, int] = {
        value.digest: value.pixels.nbytes
        for node in plan.nodes
        for _, value in node.parameters
        if isinstance(value, GivenImage)
    }
    return ahead + sum(images.values()) + sum(_sharing_a_chunk(output) for output in plan.outputs)


def _sharing_a_chunk(output: OutputPlan) -> int:
    """Return what a store keeps until the last plane of a chunk has come: planes, pyramids, encoded bytes."""
    together = _planes_in_a_chunk(output)
    return 0 if together == 1 else together * block_bytes(output.image, "yx") * 7 // 3


def _planes_in_a_chunk(output: OutputPlan) -> int:
    layout = output.image_layout
    return math.prod(layout.chunk[:3]) if layout else 1


def _writing(output: OutputPlan) -> int:
    """Return what is held while a plane is written: it, its pyramid (a third), both once more as they are encoded.

    Where planes share a chunk, the store holds what is encoded (see `_sharing_a_chunk`).
    """
    plane = block_bytes(output.image, "yx")
    return plane * 7 // 3 if _planes_in_a_chunk(output) == 1 else plane * 4 // 3


@attrs.define(eq=False)
class _Result:
    """What one call returned, or one read: its bytes, and how many of its planes are held.

    Planes of a stack are views of it: as long as one of them is there, all of it is.
    """

    size: int
    held: int = 0


class _Counted:
    """The work of a traversal that counts bytes; every plane is `None`.

    `_collecting` is what blocks take that are being filled, each while the planes of the next inner one are made;
    `_given` the last result, of which nobody may hold a plane; `_alive` the bytes of results that are held.
    """

    def __init__(self, plan: Plan, *, waits_in_memory: bool) -> None:
        self._plan = plan
        self._waits_in_memory = waits_in_memory
        self._of_lane = [block_bytes(image, "yx") for image, _ in plan.lanes]
        self._taken = [block_bytes(node.input, "yx") for node in plan.nodes]
        self._made = [0 if node.passes_on else block_bytes(node.output, "yx") for node in plan.nodes]
        self._kept = [block_bytes(output.image, "yx") for output in plan.outputs]
        self._writing = [_writing(output) for output in plan.outputs]
        self._results: dict[tuple[Port, PlaneKey], _Result] = {}
        self._given = _Result(0)
        self._collecting = 0
        self._alive = 0
        self._waiting = 0
        self.most = 0
        self.most_waiting = 0

    def _note(self, more: int) -> None:
        self.most = max(self.most, self._collecting + self._alive + more)

    @property
    def _unheld(self) -> int:
        return 0 if self._given.held else self._given.size

    def read(self, lane: int, key: PlaneKey) -> None:  # noqa: ARG002 - as `Work` says
        self._given = _Result(self._of_lane[lane])
        self._note(self._given.size)

    def compute(self, index: int, block: Block, planes: Iterator[None], key: PlaneKey) -> Sequence[None]:  # noqa: ARG002
        node = self._plan.nodes[index]
        if node.stitch is not None:
            return self._fuse(index, node, planes)
        stack = _stack_bytes(node, block, self._taken[index])
        self._collecting += stack
        for _ in planes:
            pass
        self._collecting -= stack
        taken = stack or max(self._taken[index], self._unheld)
        made = math.prod(made_shape(node, block))
        self._given = _Result(made * self._made[index])
        self._note(taken + self._given.size + SCRATCH_PLANES * self._taken[index])
        return [None] * made

    def compute_together(self, index: int, blocks: Sequence[Block], planes: Iterator[None]) -> Sequence[None]:
        """Count a batch: all that its calls get, and all that they give, is there at once."""
        taken = sum(len(block.cells) for block in blocks) * self._taken[index]
        self._collecting += taken
        for _ in planes:
            pass
        self._collecting -= taken
        self._given = _Result(len(blocks) * self._made[index])
        self._note(taken + self._given.size + len(blocks) * SCRATCH_PLANES * self._taken[index])
        return [None] * len(blocks)

    def _fuse(self, index: int, node: NodePlan, planes: Iterator[None]) -> Sequence[None]:
        """Count a mosaic: its canvas is there while tiles come one at a time."""
        canvas = canvas_bytes(node.output)
        self._collecting += canvas
        for _ in planes:
            self._note(max(self._taken[index], self._unheld) + SCRATCH_PLANES * self._taken[index])
        self._collecting -= canvas
        self._given = _Result(self._made[index])
        return [None]

    def place(self, index: int, sites: Sequence[int], planes: Iterator[None]) -> None:
        """Count what is compared to find positions: all tiles, as the stitcher may hold them."""
        tiles = len(sites) * self._taken[index]
        self._collecting += tiles
        for _ in planes:
            self._note(SCRATCH_PLANES * self._taken[index])
        self._collecting -= tiles

    def write(self, output: int, channel: int, key: PlaneKey, plane: None) -> None:  # noqa: ARG002
        self._note(max(self._unheld - self._kept[output], 0) + self._writing[output])

    def hold(self, port: Port, key: PlaneKey, plane: None) -> None:  # noqa: ARG002
        self._waiting += self._size(port)
        self.most_waiting = max(self.most_waiting, self._waiting)
        if self._waits_in_memory:
            self._alive += self._unheld
            self._given.held += 1
            self._results[port, key] = self._given
            self._note(0)

    def take(self, port: Port, key: PlaneKey, last: bool) -> None:
        size = self._size(port)
        self._waiting -= size if last else 0
        if not self._waits_in_memory:
            self._given = _Result(size)
        elif last:
            self._given = self._results.pop((port, key))
            self._given.held -= 1
            self._alive -= self._unheld
        else:
            self._given = self._results[port, key]
        self._note(self._unheld)

    def _size(self, port: Port) -> int:
        return self._of_lane[port.channel] if port.node == PLATE else self._made[port.node]


def _stack_bytes(node: NodePlan, block: Block, plane: int) -> int:
    """Return what a block takes while it is filled; one that is a plane is not copied."""
    return 0 if node.plane_wise else len(block.cells) * plane
