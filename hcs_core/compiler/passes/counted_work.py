"""A traversal's work without pixels that counts bytes: what a worker holds at once, on the host and on devices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.device_plan import is_device
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import PLATE, NodePlan, Port
from hcs_core.compiler.order.presence import Block, PlaneKey, made_shape
from hcs_core.compiler.passes.image_bytes import SCRATCH_PLANES, block_bytes, canvas_bytes, writing_bytes
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.artifact import ArtifactKind

Holds = Callable[[str, str], str]
"""In which dtype a memory type (by its name) holds images of a dtype."""

ON_HOST = ""
"""The room of what lies in host memory; a device's is called as the device."""

_COMPUTED_BYTES = np.dtype(np.float32).itemsize
"""Of a pixel that a kernel computes with on a device: in floating point, whatever the image's dtype."""


@attrs.frozen
class Place:
    """Where planes lie: in which memory type, and on which device."""

    memory_type: str = HOST
    device: str = CPU

    @classmethod
    def of(cls, node: NodePlan) -> Place:
        """Return where a node works."""
        return cls(node.memory_type or HOST, node.device or CPU)

    @property
    def room(self) -> str:
        """In whose memory that is."""
        return self.device if is_device(self.device) else ON_HOST


@attrs.frozen
class Size:
    """The bytes of an image's plane: as the host has it, and as it is held in a memory type."""

    own: int
    held: int

    @property
    def passing(self) -> int:
        """What is there beside the held one for as long as it is widened or narrowed."""
        return 0 if self.own == self.held else self.own


@attrs.define(eq=False)
class Made:
    """What one call returned, or one read: where it lies, its bytes, and how many of its planes are held.

    It stands for each of its planes. Planes of a stack are views of it: as long as one of them is there, all of it
    is.
    """

    place: Place
    size: int
    plane: Size
    held: int = 0

    @property
    def unheld(self) -> int:
        """Its bytes where no plane of it is held: those of one that is are counted already."""
        return 0 if self.held else self.size


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
        Whether planes that wait do so where they are; else they are written to a disk.
    """

    def __init__(self, plan: Plan, holds: Holds, *, waits_in_memory: bool) -> None:
        self._plan = plan
        self._waits_in_memory = waits_in_memory
        self._of_lane = [_host_size(block_bytes(image, "yx")) for image, _ in plan.lanes]
        self._places = [Place.of(node) for node in plan.nodes]
        self._taken = [size_of(node.input, node.memory_type, holds) for node in plan.nodes]
        self._made = [
            _host_size(0) if node.passes_on else size_of(node.output, node.memory_type, holds) for node in plan.nodes
        ]
        self._scratch = [SCRATCH_PLANES * taken.own for taken in self._taken]
        self._kept = [block_bytes(output.image, "yx") for output in plan.outputs]
        self._writing = [writing_bytes(output) for output in plan.outputs]
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
            self._stands(made.place.room, made.size)
        made.held += 1

    def _let_go(self, made: Made) -> None:
        made.held -= 1
        if not made.held:
            self._standing[made.place.room] -= made.size

    def _move(self, plane: Made, room: str, size: Size) -> None:
        """Count a plane that goes elsewhere, as it has `size` there: both copies are there, and what passes."""
        more: Counter[str] = Counter()
        more[plane.place.room] += plane.unheld + plane.plane.passing
        more[room] += size.held + size.passing
        if ON_HOST not in {plane.place.room, room}:
            more[ON_HOST] += size.own
        # Which of the two sides widens and narrows is the library's.
        if size.passing or plane.plane.passing:
            more[ON_HOST] += max(size.held, plane.plane.held)
        self._note(more)

    # --- The traversal's ------------------------------------------------------------------------------------

    def read(self, lane: int, key: PlaneKey) -> Made:  # noqa: ARG002 - as `Work` says
        """Count a plane of the plate."""
        made = Made(Place(), self._of_lane[lane].own, self._of_lane[lane])
        self._note({ON_HOST: made.size})
        return made

    def compute(self, index: int, block: Block, planes: Iterator[Made], key: PlaneKey) -> Sequence[Made]:  # noqa: ARG002
        """Count a call: its block while that is filled, and then that, its results and its scratch."""
        node = self._plan.nodes[index]
        if node.stitch is not None:
            return self._fuse(index, node, planes)
        place = self._places[index]
        if node.plane_wise:
            taken = self._single(index, place, next(planes))
        elif self._stays(index, block):
            taken = self._stacked(index, block, planes)
        else:
            taken = self._filled(index, block, planes)
        number = math.prod(made_shape(node, block))
        made = Made(place, number * self._made[index].held, self._made[index])
        self._note({place.room: taken + made.size + self._scratch_of(index, block)})
        return [made] * number

    def compute_together(self, index: int, blocks: Sequence[Block], planes: Iterator[Made]) -> Sequence[Made]:
        """Count a batch: all that its calls get, and all that they give, is there at once."""
        place, cells = self._places[index], sum(len(block.cells) for block in blocks)
        taken = cells * self._taken[index].held
        kept, moved = [], 0
        for plane in planes:
            if plane.place != place:
                self._move(plane, place.room, self._taken[index])
                self._stands(place.room, self._taken[index].held)
                moved += 1
            else:
                self._keep(plane)
                kept.append(plane)
        scratch = sum(self._scratch_of(index, block) for block in blocks)
        made = Made(place, len(blocks) * self._made[index].held, self._made[index])
        # The stack is one more copy of what it is made of.
        self._note({place.room: taken + made.size + scratch})
        for plane in kept:
            self._let_go(plane)
        self._standing[place.room] -= moved * self._taken[index].held
        return [made] * len(blocks)

    def _scratch_of(self, index: int, block: Block) -> int:
        return scratch_bytes(self._plan.nodes[index], self._taken[index], len(block.cells))

    def _single(self, index: int, place: Place, plane: Made) -> int:
        if plane.place == place:
            return max(self._taken[index].held, plane.unheld)
        self._move(plane, place.room, self._taken[index])
        return self._taken[index].held

    def _stays(self, index: int, block: Block) -> bool:
        """Whether all planes of a block are made where the node works, and that is not the host."""
        place, inputs = self._places[index], self._plan.nodes[index].inputs
        ports = [inputs[channel] for channel in {channel for channel, _ in block.cells}]
        return place.memory_type != HOST and all(self._made_at(port) == {place} for port in ports)

    def _made_at(self, port: Port) -> set[Place]:
        """Return where a port's planes may lie: a node that does not work everywhere gives others on."""
        if port.node == PLATE:
            return {Place()}
        node = self._plan.nodes[port.node]
        found = {self._places[port.node]}
        return found | self._made_at(node.inputs[port.channel]) if node.only is not None else found

    def _stacked(self, index: int, block: Block, planes: Iterator[Made]) -> int:
        """Count a block of planes that are there: they are kept until all of them are put together."""
        stack = len(block.cells) * self._taken[index].held
        kept = []
        for plane in planes:
            self._keep(plane)
            kept.append(plane)
        self._note({self._places[index].room: stack})
        for plane in kept:
            self._let_go(plane)
        return stack

    def _filled(self, index: int, block: Block, planes: Iterator[Made]) -> int:
        """Count a block that is filled on the host, plane by plane, and then moved as one."""
        place, taken, cells = self._places[index], self._taken[index], len(block.cells)
        self._stands(ON_HOST, cells * taken.own)
        for plane in planes:
            if plane.place.memory_type != HOST:
                self._move(plane, ON_HOST, _host_size(taken.own))
        self._standing[ON_HOST] -= cells * taken.own
        if place.memory_type == HOST:
            return cells * taken.own
        stack = Made(Place(), cells * taken.own, _host_size(cells * taken.own))
        self._move(stack, place.room, Size(cells * taken.own, cells * taken.held))
        return cells * taken.held

    def _fuse(self, index: int, node: NodePlan, planes: Iterator[Made]) -> Sequence[Made]:
        """Count a mosaic: its canvas is there while tiles come one at a time."""
        canvas = canvas_bytes(node.output)
        self._stands(ON_HOST, canvas)
        for plane in planes:
            self._tile(index, plane)
        self._standing[ON_HOST] -= canvas
        return [Made(Place(), self._made[index].own, self._made[index])]

    def _tile(self, index: int, plane: Made) -> None:
        taken = self._taken[index].own
        if plane.place.memory_type != HOST:
            self._move(plane, ON_HOST, self._taken[index])
        else:
            taken = max(taken, plane.unheld)
        self._note({ON_HOST: taken + self._scratch[index]})

    def place(self, index: int, sites: Sequence[int], planes: Iterator[Made]) -> None:
        """Count what is compared to find positions: all tiles, as the stitcher may hold them."""
        tiles = len(sites) * self._taken[index].own
        self._stands(ON_HOST, tiles)
        for plane in planes:
            if plane.place.memory_type != HOST:
                self._move(plane, ON_HOST, self._taken[index])
            self._note({ON_HOST: self._scratch[index]})
        self._standing[ON_HOST] -= tiles

    def write(self, output: int, channel: int, key: PlaneKey, plane: Made) -> None:  # noqa: ARG002
        """Count a plane that is written: it, and what the store holds of it meanwhile."""
        if plane.place.memory_type == HOST:
            self._note({ON_HOST: max(plane.unheld - self._kept[output], 0) + self._writing[output]})
            return
        self._move(plane, ON_HOST, _host_size(self._kept[output]))
        more: Counter[str] = Counter({plane.place.room: plane.unheld})
        more[ON_HOST] += self._writing[output]
        self._note(more)

    def hold(self, port: Port, key: PlaneKey, plane: Made) -> None:
        """Count a plane that waits: where it is, or on a disk."""
        if not self._waits_in_memory and plane.place.memory_type != HOST:
            self._move(plane, ON_HOST, _host_size(plane.plane.own))
        self._waiting += self._waiting_bytes(plane)
        self.most_waiting = max(self.most_waiting, self._waiting)
        self._waits[port, key] = plane
        if self._waits_in_memory:
            self._keep(plane)

    def take(self, port: Port, key: PlaneKey, last: bool) -> Made:
        """Count a plane that has waited, and let go of it after its last reader."""
        plane = self._waits.pop((port, key)) if last else self._waits[port, key]
        self._waiting -= self._waiting_bytes(plane) if last else 0
        if self._waits_in_memory:
            if last:
                self._let_go(plane)
        else:
            plane = Made(Place(), plane.plane.own, _host_size(plane.plane.own))
        self._note({plane.place.room: plane.unheld})
        return plane

    def _waiting_bytes(self, plane: Made) -> int:
        """Return what a plane takes on the host while it waits."""
        return 0 if self._waits_in_memory and plane.place.room != ON_HOST else plane.plane.own


def _host_size(size: int) -> Size:
    return Size(size, size)


def size_of(image: ImagePlan, memory_type: str, holds: Holds) -> Size:
    """Return the bytes of a plane of an image, where a memory type has it."""
    dtype = holds(memory_type, image.dtype) if memory_type not in {"", HOST} else image.dtype
    return Size(block_bytes(image, "yx"), block_bytes(attrs.evolve(image, dtype=dtype), "yx"))


def scratch_bytes(node: NodePlan, taken: Size, planes: int) -> int:
    """Return what a kernel may hold beside input and output, of a block of so many planes.

    On a device these are planes of floats, where its image has less, and where it stacks planes all of them: there a
    kernel computes on whole arrays. An image that it takes by name is there, too.
    """
    if not is_device(node.device):
        return SCRATCH_PLANES * taken.held
    floats = max(taken.held, math.prod(node.input.shape) * _COMPUTED_BYTES)
    stack = 0 if node.plane_wise else planes
    images = sum(part.kind == ArtifactKind.IMAGE for part in node.takes)
    return (SCRATCH_PLANES + stack + images) * floats
