"""A traversal's work without pixels that counts bytes: what a worker holds at once, on the host and on devices."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.node_plan import NodePlan, Port
from hcs_core.compiler.order.batching import group_sizes
from hcs_core.compiler.order.presence import Block, PlaneKey, made_shape
from hcs_core.compiler.order.waiting_places import waiting_in_place
from hcs_core.compiler.passes.counted_planes import (
    ON_HOST,
    Holds,
    Made,
    Size,
    host_size,
    room_of,
    scratch_bytes,
    size_of,
)
from hcs_core.compiler.passes.image_bytes import SCRATCH_PLANES, block_bytes, canvas_bytes, writing_bytes
from hcs_core.compiler.place import Place
from hcs_core.compiler.plan import Plan


class CountedWork:
    """The work of a `Traversal` that counts bytes.

    `most` is the most that was there at once, by room: blocks that are being filled, each while the planes of the
    next inner one are made; results of which a plane is held; and what a call, a conversion or a writer needs.

    Parameters
    ----------
    plan
        A plan whose nodes have memory types; where they have no device yet, they are taken to work on the host.
    holds
        In which dtype memory types hold images.
    waits_in_memory
        Whether planes that wait do so in memory; else they are written to a disk.
    """

    def __init__(self, plan: Plan, holds: Holds, *, waits_in_memory: bool) -> None:
        self._plan = plan
        self._waits_in_memory = waits_in_memory
        self._of_lane = [host_size(block_bytes(image, "yx")) for image, _ in plan.lanes]
        self._places = [Place.of(node) for node in plan.nodes]
        self._taken = [size_of(node.input, node.memory_type, holds) for node in plan.nodes]
        self._made = [
            host_size(0) if node.passes_on else size_of(node.output, node.memory_type, holds) for node in plan.nodes
        ]
        self._kept = [block_bytes(output.image, "yx") for output in plan.outputs]
        self._writing = [writing_bytes(output) for output in plan.outputs]
        self._groups = [
            1 if node.batch > 1 else size for node, size in zip(plan.nodes, group_sizes(plan), strict=True)
        ]
        self._in_place = waiting_in_place(plan)
        self._waits: dict[tuple[Port, PlaneKey], Made] = {}
        self._standing: Counter[str] = Counter()
        self._waiting = 0
        self.most: Counter[str] = Counter()
        self.most_waiting = 0

    # --- Counting -------------------------------------------------------------------------------------------

    def _note(self, more: Mapping[str, int]) -> None:
        for room, size in more.items():
            self.most[room] = max(self.most[room], self._standing[room] + size)

    def _stands(self, room: str, size: int) -> None:
        self._standing[room] += size
        self._note({room: 0})

    def _keep(self, made: Made) -> None:
        if not made.held:
            for room, size in made.rooms.items():
                self._stands(room, size)
        made.held += 1

    def _let_go(self, made: Made) -> None:
        made.held -= 1
        if not made.held:
            self._standing.subtract(made.rooms)

    def _move(self, plane: Made, room: str, size: Size) -> None:
        """Count a plane that is wanted elsewhere, as it has `size` there: both copies are there, and what passes."""
        self._more(plane, room_of(plane.place), plane.part)
        more = plane.unheld
        more[room_of(plane.place)] += plane.plane.passing
        more[room] += size.held + size.passing
        if ON_HOST not in {room_of(plane.place), room}:
            more[ON_HOST] += size.own
        # Which of the two sides widens and narrows is the library's.
        if size.passing or plane.plane.passing:
            more[ON_HOST] += max(size.held, plane.plane.held)
        self._note(more)
        self._more(plane, room, size.held)

    def _more(self, plane: Made, room: str, size: int) -> None:
        """Count what is kept of a plane from now on for as long as it is there."""
        plane.rooms[room] += size
        if plane.held:
            self._stands(room, size)

    def _arrive(self, plane: Made, place: Place, size: Size) -> Counter[str]:
        """Return what is there of a plane for as long as somebody at a place works with it, by room."""
        if plane.place == place:
            self._more(plane, room_of(place), plane.part)
            there = plane.unheld
            there[room_of(place)] = max(size.held, there[room_of(place)])
            return there
        self._move(plane, room_of(place), size)
        return plane.unheld

    # --- The traversal's ------------------------------------------------------------------------------------

    def read(self, lane: int, key: PlaneKey) -> Made:  # noqa: ARG002 - as `Work` says
        """Count a plane of the plate."""
        made = Made.of(Place(), self._of_lane[lane])
        self._note(made.rooms)
        return made

    def compute(self, index: int, block: Block, planes: Iterator[Made], key: PlaneKey) -> Sequence[Made]:  # noqa: ARG002
        """Count a call: its block while that is filled, and then that, its results and its scratch."""
        node, place = self._plan.nodes[index], self._places[index]
        if node.stitch is not None:
            return self._fuse(index, node, planes)
        there = self._arrive(self._block(index, block, planes), place, self._block_size(index, block))
        number = math.prod(made_shape(node, block))
        # Of a group, each is there until all of them are made.
        made = Made.of(place, self._made[index], number * self._groups[index])
        there.update(made.rooms)
        there[room_of(place)] += scratch_bytes(node, self._taken[index], len(block.cells) + number)
        self._note(there)
        return [made] * number

    def compute_together(self, index: int, blocks: Sequence[Block], planes: Iterator[Made]) -> Sequence[Made]:
        """Count a batch: all its blocks are there while they are put together, and while the kernel works."""
        node, place, taken = self._plan.nodes[index], self._places[index], self._taken[index]
        kept: deque[Made] = deque()
        for block in blocks:
            plane = self._block(index, block, islice(planes, len(block.cells)))
            self._keep(plane)
            kept.append(plane)
        cells = sum(self._block_size(index, block).own // taken.own for block in blocks)
        whole = Size(cells * taken.own, cells * taken.held)
        if all(plane.place == place for plane in kept):
            joined = Made.of(place, whole)
            for plane in kept:
                self._more(plane, room_of(place), plane.part)
        else:
            joined = self._joined(whole, kept)
        there = self._arrive(joined, place, whole)
        # Once it has gone to its place, nothing of it stays on the host.
        there[ON_HOST] -= whole.own if joined.place != place else 0
        made = Made.of(place, self._made[index], len(blocks))
        there.update(made.rooms)
        there[room_of(place)] += sum(scratch_bytes(node, taken, len(block.cells) + 1) for block in blocks)
        self._note(there)
        for plane in kept:
            self._let_go(plane)
        return [made] * len(blocks)

    def _joined(self, whole: Size, kept: Sequence[Made]) -> Made:
        """Count blocks that are put together on the host."""
        self._stands(ON_HOST, whole.own)
        for plane in kept:
            if plane.place.memory_type != HOST:
                self._move(plane, ON_HOST, host_size(plane.plane.own))
        self._standing[ON_HOST] -= whole.own
        return Made.of(Place(), host_size(whole.own))

    def _block_size(self, index: int, block: Block) -> Size:
        taken = self._taken[index]
        cells = 1 if self._plan.nodes[index].plane_wise else len(block.cells)
        return Size(cells * taken.own, cells * taken.held)

    def _block(self, index: int, block: Block, planes: Iterator[Made]) -> Made:
        """Count a block while it is put together: at the node's place if they are there, else on the host."""
        node, place = self._plan.nodes[index], self._places[index]
        if node.plane_wise:
            return next(planes)
        size = self._block_size(index, block)
        if place.memory_type == HOST:
            return self._filled(size, planes)
        kept: deque[Made] = deque()
        for plane in planes:
            self._keep(plane)
            kept.append(plane)
            if plane.place != place:
                return self._filled(size, self._let_go_of(kept, planes))
            self._more(plane, room_of(place), plane.part)
        self._note({room_of(place): size.held})
        for _ in self._let_go_of(kept, planes):
            pass
        return Made.of(place, size)

    def _let_go_of(self, kept: deque[Made], planes: Iterator[Made]) -> Iterator[Made]:
        while kept:
            plane = kept.popleft()
            self._let_go(plane)
            yield plane
        yield from planes

    def _filled(self, size: Size, planes: Iterator[Made]) -> Made:
        """Count a block that is filled on the host, plane by plane."""
        self._stands(ON_HOST, size.own)
        for plane in planes:
            if plane.place.memory_type != HOST:
                self._move(plane, ON_HOST, host_size(plane.plane.own))
        self._standing[ON_HOST] -= size.own
        return Made.of(Place(), host_size(size.own))

    def _fuse(self, index: int, node: NodePlan, planes: Iterator[Made]) -> Sequence[Made]:
        """Count a mosaic: its canvas is there while tiles come one at a time."""
        canvas, taken = canvas_bytes(node.output), host_size(self._taken[index].own)
        self._stands(ON_HOST, canvas)
        for plane in planes:
            there = self._arrive(plane, Place(), taken)
            there[ON_HOST] += SCRATCH_PLANES * taken.own
            self._note(there)
        self._standing[ON_HOST] -= canvas
        return [Made.of(Place(), self._made[index])]

    def place(self, index: int, sites: Sequence[int], planes: Iterator[Made]) -> None:
        """Count what is compared to find positions: all tiles, as the stitcher may hold them."""
        taken = host_size(self._taken[index].own)
        self._stands(ON_HOST, len(sites) * taken.own)
        for plane in planes:
            if plane.place.memory_type != HOST:
                self._move(plane, ON_HOST, taken)
            self._note({ON_HOST: SCRATCH_PLANES * taken.own})
        self._standing[ON_HOST] -= len(sites) * taken.own

    def write(self, output: int, channel: int, key: PlaneKey, plane: Made) -> None:  # noqa: ARG002
        """Count a plane that is written: it, and what the store holds of it meanwhile."""
        kept = self._kept[output]
        there = self._arrive(plane, Place(), host_size(kept))
        there[ON_HOST] += self._writing[output] - kept
        self._note(there)

    def hold(self, port: Port, key: PlaneKey, plane: Made) -> None:
        """Count a plane that waits: where it is, if a reader works there too, else on the host; or on a disk."""
        if plane.place.memory_type != HOST:
            if self._waits_in_memory and port in self._in_place:
                if not plane.held:
                    plane.rooms = Counter({room_of(plane.place): plane.rooms[room_of(plane.place)]})
            else:
                self._move(plane, ON_HOST, host_size(plane.plane.own))
                plane = Made.of(Place(), host_size(plane.plane.own))
        self._waiting += plane.plane.own if room_of(plane.place) == ON_HOST else 0
        self.most_waiting = max(self.most_waiting, self._waiting)
        self._waits[port, key] = plane
        if self._waits_in_memory:
            self._keep(plane)

    def take(self, port: Port, key: PlaneKey, last: bool) -> Made:
        """Count a plane that has waited, and let go of it after its last reader."""
        plane = self._waits.pop((port, key)) if last else self._waits[port, key]
        if last:
            self._waiting -= plane.plane.own if room_of(plane.place) == ON_HOST else 0
            if self._waits_in_memory:
                self._let_go(plane)
        if not self._waits_in_memory:
            plane = Made.of(Place(), host_size(plane.plane.own))
        self._note(plane.unheld)
        return plane
