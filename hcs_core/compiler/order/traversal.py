"""The order in which a well's planes are read, computed and written: pulled from the end, plane by plane.

Each plane of the outputs is asked for in turn; a node that is asked for a plane asks for the planes of its
own block, computes it, hands out the one, and holds the others until their readers come. So neighbouring
plane-wise nodes are fused, a stack is held only while it is collected, and an intermediate is dropped after its
last reader. A plane of the plate is never held: who wants it later reads it again.

Functions that make artifacts run for every block, whether or not an output pulls their images: as soon as their
planes are there, and before whatever takes what they make. What is done with planes is the `Work`: the real one, or
one that only notes what would be read.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol

from hcs_core.compiler.node_plan import PLATE, NodePlan, Port
from hcs_core.compiler.order.artifact_parts import Call, Parts
from hcs_core.compiler.order.batching import Asked, Batches
from hcs_core.compiler.order.presence import Block, Cell, PlaneKey, Presence, made_cells, places_of
from hcs_core.compiler.order.pulling import made_together, needed_nodes, pull_order, running_nodes, shared_axes
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.step_plan import OutputPlan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.storage.layout import MOSAIC


class Work(Protocol):
    """What is done with planes."""

    def read(self, lane: int, key: PlaneKey) -> Any:
        """Return a plane of the plate: of the channel at an index of `Plan.lanes`."""
        ...

    def compute(self, index: int, block: Block, planes: Iterator[Any], key: PlaneKey) -> Sequence[Any]:
        """Return the planes that a node makes of those of one block that are there, both in the order of its axes."""
        ...

    def compute_together(self, index: int, blocks: Sequence[Block], planes: Iterator[Any]) -> Sequence[Any]:
        """Return the one plane that a node makes of each of several blocks, whose `planes` come one after the other.

        All of them are whole, and of one shape.
        """
        ...

    def place(self, index: int, sites: Sequence[int], planes: Iterator[Any]) -> None:
        """Find the positions of a well's sites, from a plane of each of these sites, in their order."""
        ...

    def write(self, output: int, channel: int, key: PlaneKey, plane: Any) -> None:
        """Write a plane of a kept output."""
        ...

    def hold(self, port: Port, key: PlaneKey, plane: Any) -> None:
        """Keep a plane for readers to come."""
        ...

    def take(self, port: Port, key: PlaneKey, last: bool) -> Any:
        """Return a plane that is held, and drop it if this is its last reader."""
        ...


class Traversal:
    """Runs one well of a plan with some work; with `wanted`, for these planes of its outputs only."""

    def __init__(
        self, plan: Plan, shape: WellShape, work: Work, well: str = "", wanted: Collection[Cell] | None = None
    ) -> None:
        self._plan = plan
        self._wanted = wanted
        self._sites = shape.sites
        self._presence = Presence(plan, shape, well)
        self._work = work
        self._waiting: dict[tuple[Port, PlaneKey], int] = {}
        self._written: set[tuple[Port, PlaneKey]] = set()
        self._parts = Parts(plan, self._presence)
        self._batches = Batches(plan, self._presence)
        # For some planes only what they are made of runs, and no artifact for its own sake.
        self._makes = wanted is None and any(node.makes for node in plan.nodes)
        self._begun: set[Call] = set()
        self._passing: dict[tuple[Port, PlaneKey], Any] = {}
        self._due: dict[Call, None] = {}
        self._taps: dict[Port, list[tuple[int, int]]] = {}
        self._outputs = pull_order(plan, plan.kept_in(well))
        self._needed = (running_nodes if wanted is None else needed_nodes)(plan, self._outputs)
        for index in self._outputs:
            for channel, port in enumerate(plan.outputs[index].ports):
                self._taps.setdefault(port, []).append((index, channel))

    def run(self) -> None:
        """Make every plane of every kept output, and every artifact, that can be made.

        Positions come first, as mosaics need them. All outputs are pulled at one place before the next.
        """
        for index, node in enumerate(self._plan.nodes):
            if node.places and index in self._needed:
                self._place(index, node)
                self._run_due()
        shared = shared_axes(self._plan, self._outputs)
        streams = (self._in_order(self._plan.outputs[index]) for index in self._outputs)
        merged = heapq.merge(*streams, key=lambda asked: (asked[1].site, asked[1].timepoint)[: len(shared)])
        for group in self._batches.groups(self._there(merged), self._is_made):
            if len(group) > 1:
                self._produce_together(group, reading=0)
            elif group[0] not in self._written:
                self._produce(*group[0])
            self._run_due()
        for index, node in enumerate(self._plan.nodes if self._makes else ()):
            for call in self._parts.all(index) if node.makes else ():
                self._run(call)
                self._run_due()

    def _place(self, index: int, node: NodePlan) -> None:
        """Find positions; planes are pulled only where they are looked at."""
        if not node.inputs:
            self._work.place(index, (), iter(()))
            return
        timepoint, z_index = self._presence.reference(node)
        block = self._presence.block(node, 0, PlaneKey(MOSAIC, timepoint, z_index))
        there = [key.site for (_, key), is_there in zip(block.cells, block.present, strict=True) if is_there]
        self._work.place(index, there, self._gather(node, block))

    def _in_order(self, output: OutputPlan) -> Iterator[tuple[Port, PlaneKey]]:
        """Yield the planes of an output, those that one block makes next to each other, so that few have to wait."""
        together = made_together(self._plan, output.ports[0])
        order = [axis for axis in "stcz" if axis not in together] + list(together)
        every = places_of(output.image, self._sites)
        for place in itertools.product(*(every[axis] for axis in order)):
            at = dict(zip(order, place, strict=True))
            key = PlaneKey(at["s"], at["t"], at["z"])
            if self._wanted is None or (at["c"], key) in self._wanted:
                yield output.ports[at["c"]], key

    def _there(self, asked: Iterator[Asked]) -> Iterator[Asked]:
        """Yield where planes really come from, of those that are there or can be made."""
        for port, key in asked:
            place = self._presence.origin(port, key)
            if self._presence.has(place, key):
                yield place, key

    def _is_made(self, plane: Asked) -> bool:
        return plane in self._waiting or plane in self._passing or plane in self._written

    def _value(self, port: Port, key: PlaneKey) -> Any:
        """Return a plane to one of its readers."""
        if (port, key) in self._passing:
            return self._passing[port, key]
        left = self._waiting.get((port, key))
        if left is None:
            return self._produce(port, key, reading=1)
        if left == 1:
            del self._waiting[port, key]
        else:
            self._waiting[port, key] = left - 1
        return self._work.take(port, key, last=left == 1)

    def _produce(self, port: Port, key: PlaneKey, reading: int = 0) -> Any:
        """Make a plane that is not there yet, and hold it for those of its readers that have still to come."""
        if port.node == PLATE:
            plane = self._work.read(port.channel, key)
            self._made(port, key, plane, reading)
            return plane
        node = self._plan.nodes[port.node]
        block = self._presence.block(node, port.channel, key)
        results = self._compute(port, block, key)
        wanted = None
        for cell, plane in zip(made_cells(node, block, port.channel, key), results, strict=True):
            if cell is None:
                continue
            asked = cell == (port.channel, key)
            wanted = plane if asked else wanted
            self._made(Port(port.node, cell[0]), cell[1], plane, reading if asked else 0)
        return wanted

    def _produce_together(self, group: Sequence[Asked], reading: int) -> Sequence[Any]:
        """Make planes of one node, those that its kernel takes together at once, and hold them as `_produce` does."""
        index = group[0][0].node
        node = self._plan.nodes[index]
        blocks = [self._presence.block(node, port.channel, key) for port, key in group]
        planes = self._values((node, block) for block in blocks)
        if self._batches.together(index):
            made = self._work.compute_together(index, blocks, planes)
        else:
            made = [
                self._work.compute(index, block, itertools.islice(planes, sum(block.present)), key)[0]
                for block, (_, key) in zip(blocks, group, strict=True)
            ]
        for (port, key), plane in zip(group, made, strict=True):
            self._made(port, key, plane, reading)
        return made

    def _compute(self, port: Port, block: Block, key: PlaneKey) -> Sequence[Any]:
        """Return what a node makes of a block, after all that it takes by name."""
        node = self._plan.nodes[port.node]
        if node.makes or node.takes:
            call = self._parts.call(port.node, port.channel, key)
            if node.makes:
                self._begun.add(call)
            for taken in node.takes:
                for part in self._parts.taken(taken, call):
                    self._run(part)
        return self._work.compute(port.node, block, self._gather(node, block), key)

    def _run(self, call: Call) -> None:
        """Run a call for its artifacts, unless it has run; what it makes of an image is held for its readers."""
        if call in self._begun:
            return
        port = Port(call.node, call.channel)
        node = self._plan.nodes[call.node]
        if node.passes_on:
            self._compute(port, self._presence.block(node, call.channel, call.key), call.key)
        else:
            self._produce(port, call.key)

    def _makers(self, port: Port, key: PlaneKey) -> list[Call]:
        """Return the calls that measure a plane as it comes; note those of other functions that are due.

        What pulls nothing else runs at once, so that the plane need not wait. All others wait until nothing is being
        computed: they may pull what is just on its way.
        """
        now = []
        for place in self._names(port, key) if self._makes else ():
            for index in self._readers(place):
                node = self._plan.nodes[index]
                if not node.makes or not self._presence.works(node, key):
                    continue
                call = self._parts.call(index, node.inputs.index(place), key)
                if node.plane_wise and not node.takes and call not in self._begun:
                    now.append(call)
                else:
                    self._due[call] = None
        return now

    def _run_due(self) -> None:
        while self._due:
            call = next(iter(self._due))
            del self._due[call]
            self._run(call)

    def _gather(self, node: NodePlan, block: Block) -> Iterator[Any]:
        """Yield the planes of a node's block one by one, so that none is held by the time it is copied."""
        return self._values([(node, block)])

    def _values(self, blocks: Iterable[tuple[NodePlan, Block]]) -> Iterator[Any]:
        """Yield the planes of nodes' blocks one by one; those that are made together are made with the first."""
        for group in self._batches.groups(self._cells(blocks), self._is_made):
            if len(group) == 1:
                yield self._value(*group[0])
                continue
            made = deque(self._produce_together(group, reading=1))
            while made:
                yield made.popleft()

    def _cells(self, blocks: Iterable[tuple[NodePlan, Block]]) -> Iterator[Asked]:
        for node, block in blocks:
            for (channel, key), is_there in zip(block.cells, block.present, strict=True):
                if is_there:
                    yield self._presence.origin(node.inputs[channel], key), key

    def _made(self, port: Port, key: PlaneKey, plane: Any, reading: int) -> None:
        now = self._makers(port, key)
        readers, tapped = -reading - len(now), False
        for place in self._names(port, key):
            if (port, key) not in self._written:
                for output, channel in self._taps.get(place, ()):
                    self._work.write(output, channel, key, plane)
                    tapped = True
            readers += sum(self._presence.works(self._plan.nodes[index], key) for index in self._readers(place))
        if tapped:
            self._written.add((port, key))
        if readers > 0 and port.node != PLATE:
            self._waiting[port, key] = readers
            self._work.hold(port, key, plane)
        for call in now:
            self._passing[port, key] = plane
            self._run(call)
            del self._passing[port, key]

    def _names(self, port: Port, key: PlaneKey) -> Iterator[Port]:
        """Yield every port at which a plane comes out: its own, and those of nodes that only give it on."""
        yield port
        for index in self._readers(port):
            node = self._plan.nodes[index]
            if not self._presence.works(node, key):
                yield from self._names(Port(index, node.inputs.index(port)), key)

    def _readers(self, port: Port) -> tuple[int, ...]:
        of_plate = port.node == PLATE
        readers = (
            self._plan.source_readers[port.channel] if of_plate else self._plan.node_readers[port.node][port.channel]
        )
        return tuple(index for index in readers if index in self._needed)
