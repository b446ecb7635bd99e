"""What a count of memory knows of planes: in whose memory they lie, how large they are, what is kept of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import attrs
import numpy as np

from hcs_core.arrays.device_names import has_own_memory
from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.passes.image_bytes import SCRATCH_PLANES, block_bytes
from hcs_core.compiler.place import Place

Holds = Callable[[str, str], str]
"""In which dtype a memory type (by its name) holds images of a dtype."""

ON_HOST = ""
"""The room of what lies in host memory; a device's is called as the device."""

_COMPUTED_BYTES = np.dtype(np.float32).itemsize
"""Of a pixel that a kernel of another library than numpy computes with: in floats, whatever the image's dtype."""


def room_of(place: Place) -> str:
    """Return in whose memory planes lie that are at a place."""
    return place.device if has_own_memory(place.device) else ON_HOST


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
    """What one call returned, or one read: where it lies, its bytes by room, and how many of its planes are held.

    It stands for each of its planes. As long as one of them is there, all of it is; and so are copies of them in
    other places, which are kept for others who want a plane there.
    """

    place: Place
    plane: Size
    rooms: Counter[str]
    whole: int
    held: int = 0

    @classmethod
    def of(cls, place: Place, plane: Size, planes: int = 1) -> Made:
        """Return so many planes that lie at a place."""
        whole = planes * plane.held
        return cls(place, plane, Counter({room_of(place): whole}), whole)

    @property
    def unheld(self) -> Counter[str]:
        """Its bytes where no plane of it is held: those of one that is are counted already."""
        return Counter() if self.held else Counter(self.rooms)

    @property
    def part(self) -> int:
        """What one of several planes takes once more, taken out of the whole, until all are; numpy's are views."""
        is_whole = self.place.memory_type == HOST or self.whole <= self.plane.held
        taken_out = self.rooms[room_of(self.place)] >= 2 * self.whole
        return 0 if is_whole or taken_out else self.plane.held


def host_size(size: int) -> Size:
    """Return a size that is the same wherever it is."""
    return Size(size, size)


def size_of(image: ImagePlan, memory_type: str, holds: Holds) -> Size:
    """Return the bytes of a plane of an image, where a memory type has it."""
    dtype = holds(memory_type, image.dtype) if memory_type not in {"", HOST} else image.dtype
    return Size(block_bytes(image, "yx"), block_bytes(attrs.evolve(image, dtype=dtype), "yx"))


def scratch_bytes(node: NodePlan, taken: Size, planes: int) -> int:
    """Return what a kernel may hold beside input and output, of a call that gets and gives so many planes together.

    In other libraries than numpy these are planes of floats, where its image has less, and one more, as its result is
    of floats before it is narrowed. On a device, where it stacks planes, its whole input and output in floats, too:
    there a kernel computes on whole arrays.
    """
    if node.memory_type in {"", HOST} and not has_own_memory(node.device):
        return SCRATCH_PLANES * taken.held
    floats = max(taken.held, math.prod(node.input.shape) * _COMPUTED_BYTES)
    narrowed = 1 if floats > taken.held else 0
    stacked = planes if has_own_memory(node.device) and not node.plane_wise else 0
    return (SCRATCH_PLANES + narrowed + stacked) * floats
