"""What a well's run does with planes: reads them ahead, computes blocks, writes what is kept, holds what waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import attrs
import numpy.typing as npt

from hcs_core.compiler.node_plan import NodePlan, Port
from hcs_core.compiler.order.presence import Block, Cell, PlaneKey, made_shape
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.plugins.signature import CONTEXT
from hcs_core.runtime.context import ProcessingContext
from hcs_core.runtime.well.held import Held, on_host
from hcs_core.runtime.well.mosaic_work import MosaicWork
from hcs_core.runtime.well.node_calls import CallOf, NodeCalls
from hcs_core.runtime.well.read_ahead import ReadAhead
from hcs_core.runtime.well.waiting import Waiting
from hcs_core.runtime.well.well_artifacts import WellArtifacts

Estimates = Mapping[tuple[int, int], Mapping[str, Any]]
"""What was estimated: parameters by the index of a node and of its channel."""

Keep = Callable[[int, int, PlaneKey, npt.NDArray[Any]], None]
"""Is given a plane of an output: its position in the plan, the channel, where the plane belongs, the (y, x) array."""


@attrs.frozen(kw_only=True)
class PlaneWork:
    """The work of a `Traversal` that makes pixels, for one well.

    `numbers` are the plate's, of the plan's lanes; `keep` gets the planes of outputs, where there is `wanted` these
    alone; `estimates` is what was estimated, by node and channel.
    """

    plan: Plan
    shape: WellShape
    numbers: tuple[int, ...]
    calls: NodeCalls
    ahead: ReadAhead
    keep: Keep
    waiting: Waiting
    mosaics: MosaicWork
    artifacts: WellArtifacts
    context: ProcessingContext
    estimates: Estimates = attrs.field(factory=dict)
    wanted: Collection[Cell] | None = None

    def read(self, lane: int, key: PlaneKey) -> Held:
        """Return a plane of the plate."""
        return on_host(self.ahead.get((self.numbers[lane], key)))

    def compute(self, index: int, block: Block, planes: Iterator[Held], key: PlaneKey) -> Sequence[Held]:
        """Return the planes that a node makes of those of one block."""
        node = self.plan.nodes[index]
        if node.stitch is not None:
            sites = [cell.site for (_, cell), is_there in zip(block.cells, block.present, strict=True) if is_there]
            return [on_host(self.mosaics.fuse(index, sites, map(self.calls.moves.on_host, planes)))]
        call = self.artifacts.call(index, block)
        told = {CONTEXT: self.context} if node.context else {}
        told |= self.artifacts.told(call)
        image, made = self.calls.one(self._call_of(index, node, block, key.site, told), block, planes)
        self.artifacts.note(call, made)
        if node.passes_on:
            return []
        return [image] if node.out == "yx" else image.planes(prod(made_shape(node, block)))

    def compute_together(self, index: int, blocks: Sequence[Block], planes: Iterator[Held]) -> Sequence[Held]:
        """Return the plane that a node makes of each of several blocks."""
        site = blocks[0].cells[0][1].site
        return self.calls.together(self._call_of(index, self.plan.nodes[index], blocks[0], site, {}), blocks, planes)

    def _call_of(self, index: int, node: NodePlan, block: Block, site: int, told: dict[str, Any]) -> CallOf:
        # What is estimated is so for each channel alone, and such nodes never stack channels.
        told |= self.estimates.get((index, block.cells[0][0]), {})
        taken, made = self.shape.frame(node.input), self.shape.frame(node.output)
        return CallOf(index=index, site=site, told=told, taken=taken, made=made)

    def place(self, index: int, sites: Sequence[int], planes: Iterator[Held]) -> None:
        """Find the positions of the well's sites."""
        self.mosaics.place(index, sites, map(self.calls.moves.on_host, planes))

    def write(self, output: int, channel: int, key: PlaneKey, plane: Held) -> None:
        """Give away a plane of a kept output."""
        # What a node makes along with a wanted plane is not always wanted.
        if self.wanted is None or (channel, key) in self.wanted:
            self.keep(output, channel, key, self.calls.moves.on_host(plane))

    def hold(self, port: Port, key: PlaneKey, plane: Held) -> None:
        """Keep a plane for readers to come."""
        self.waiting.put(port, key, plane)

    def take(self, port: Port, key: PlaneKey, last: bool) -> Held:
        """Return a plane that is held, and drop it after its last reader."""
        return self.waiting.take(port, key, last=last)
