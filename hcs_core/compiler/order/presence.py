"""Which planes there are in a well: what the plate has, followed through the nodes of a plan.

Wells are ragged: a channel may be a single plane beside stacks, a site may lack what others have. What is absent
along z or t is left out of a stack; along c or s a kernel refuses, or is told by a mask.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import attrs

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import PLATE, NodePlan, Port
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.storage.layout import MOSAIC


@attrs.frozen
class PlaneKey:
    """A plane of an image of the plan: its site, and its timepoint and z_index as numbers, not as indices.

    The site of a mosaic's planes is `MOSAIC`.
    """

    site: int
    timepoint: int
    z_index: int


Cell = tuple[int, PlaneKey]
"""A channel of an image, by its index, and a plane of it."""


@attrs.frozen
class Block:
    """The planes that one call of a node takes.

    `cells` are in the order of the stacked axes, `shape` is how many there are along each, `present` which of them
    are there. `places` are the values along each stacked axis.
    """

    cells: tuple[Cell, ...]
    shape: tuple[int, ...] = ()
    present: tuple[bool, ...] = (True,)
    places: tuple[tuple[int, ...], ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every plane is there."""
        return all(self.present)


class Presence:
    """The planes of one well.

    Parameters
    ----------
    plan
        What is made of the plate.
    shape
        The well's sites and gaps.
    well
        Its name, for nodes that work in some wells only.
    """

    def __init__(self, plan: Plan, shape: WellShape, well: str) -> None:
        self._plan = plan
        self._well = well
        self.sites = shape.sites
        gaps = (frozenset(plan.gaps[index]) for index in shape.gaps)
        self._gaps = dict(zip(shape.sites, gaps, strict=True))
        self._lanes = tuple(image for image in plan.sources for _ in image.channels)
        self._is_whole = len(plan.sources) == 1 and not any(self._gaps.values())
        self._known: dict[tuple[Port, PlaneKey], bool] = {}
        self._references: dict[Port, tuple[int, int]] = {}

    def has(self, port: Port, key: PlaneKey) -> bool:
        """Whether a plane is there, or can be made."""
        if self._is_whole:
            return True
        port = self.origin(port, key)
        if port.node == PLATE:
            image = self._lanes[port.channel]
            place = (port.channel, key.timepoint, key.z_index)
            return (
                key.z_index in image.z_indexes
                and key.timepoint in image.timepoints
                and place not in self._gaps[key.site]
            )
        node = self._plan.nodes[port.node]
        if node.plane_wise:
            return self.has(node.inputs[port.channel], key)
        if (port, key) not in self._known:
            block = self.block(node, port.channel, key)
            self._known[port, key] = (port.channel, key) in made_cells(node, block, port.channel, key)
        return self._known[port, key]

    def origin(self, port: Port, key: PlaneKey) -> Port:
        """Return where a plane really comes from: through nodes that do not work there."""
        while port.node != PLATE and not self.works(self._plan.nodes[port.node], key):
            port = self._plan.nodes[port.node].inputs[port.channel]
        return port

    def reference(self, node: NodePlan) -> tuple[int, int]:
        """Return timepoint and z_index of the planes that a node looks at which finds positions.

        The first timepoint, and the z_index at which the most sites have a plane; of several, that nearest to the
        middle.
        """
        port = node.inputs[0]
        if port not in self._references:
            timepoint, slices = node.input.timepoints[0], node.input.z_indexes
            middle = slices[len(slices) // 2]
            there = {z: sum(self.has(port, PlaneKey(site, timepoint, z)) for site in self.sites) for z in slices}
            chosen = min(slices, key=lambda z: (-there[z], abs(z - middle), z))
            self._references[port] = timepoint, chosen
        return self._references[port]

    def works(self, node: NodePlan, key: PlaneKey) -> bool:
        """Whether a node works on a plane, and does not only give it on."""
        if node.places:
            return (key.timepoint, key.z_index) == self.reference(node)
        if node.only is None:
            return True
        value = self._well if node.only.component == "well" else getattr(key, node.only.component)
        return bool(value == node.only.value)

    def block(self, node: NodePlan, channel: int, key: PlaneKey) -> Block:
        """Return the planes of the block that makes a plane of a node's output."""
        stacked = node.axes[:-2]
        if not stacked:
            return Block(cells=((channel, key),))
        every = places_of(node.input, self.sites)
        places = [every[axis] for axis in stacked]
        own = {"s": key.site, "t": key.timepoint, "c": channel, "z": key.z_index}
        cells = _cells(stacked, places, own)
        present = [self._has_cell(node, cell) for cell in cells]
        if all(present):
            return _block(cells, places, present)
        kept = [
            [place for place in along if axis in "cs" or _any_at(cells, present, axis, place)]
            for axis, along in zip(stacked, places, strict=True)
        ]
        cells = _cells(stacked, kept, own)
        return _block(cells, kept, [self._has_cell(node, cell) for cell in cells])

    def _has_cell(self, node: NodePlan, cell: Cell) -> bool:
        return self.has(node.inputs[cell[0]], cell[1])


def _block(cells: Sequence[Cell], places: Sequence[Sequence[int]], present: Sequence[bool]) -> Block:
    return Block(
        cells=tuple(cells),
        shape=tuple(len(along) for along in places),
        present=tuple(present),
        places=tuple(tuple(along) for along in places),
    )


def made_shape(node: NodePlan, block: Block) -> tuple[int, ...]:
    """Return how many planes a call makes of a block, along each stacked axis of its result."""
    return tuple(block.shape[node.axes.index(axis)] for axis in node.out[:-2])


def made_cells(node: NodePlan, block: Block, channel: int, key: PlaneKey) -> tuple[Cell | None, ...]:
    """Return the planes that a call makes of a block, in the order of its result; `None` where the input's is absent.

    Along an axis that the node reduces, the result has a single place, which is that of the plane asked for.
    """
    stacked, out = node.axes[:-2], node.out[:-2]
    if not out:
        return ((channel, key) if any(block.present) else None,)
    own = {"s": key.site, "t": key.timepoint, "c": channel, "z": key.z_index}
    made = _cells(out, [block.places[stacked.index(axis)] for axis in out], own)
    if block.is_whole:
        return tuple(made)
    there = {
        tuple(_place(cell, axis) for axis in out)
        for cell, is_there in zip(block.cells, block.present, strict=True)
        if is_there
    }
    return tuple(cell if tuple(_place(cell, axis) for axis in out) in there else None for cell in made)


def _cells(stacked: str, places: Sequence[Sequence[int]], own: dict[str, int]) -> list[Cell]:
    found = []
    for place in itertools.product(*places):
        at = own | dict(zip(stacked, place, strict=True))
        found.append((at["c"], PlaneKey(at["s"], at["t"], at["z"])))
    return found


def _place(cell: Cell, axis: str) -> int:
    channel, key = cell
    return {"s": key.site, "t": key.timepoint, "c": channel, "z": key.z_index}[axis]


def _any_at(cells: Sequence[Cell], present: Sequence[bool], axis: str, place: int) -> bool:
    return any(there for cell, there in zip(cells, present, strict=True) if _place(cell, axis) == place)


def places_of(image: ImagePlan, sites: Sequence[int]) -> dict[str, Sequence[int]]:
    """Return every place of an image along s, t, c and z; a mosaic is the one place of its well."""
    sites = (MOSAIC,) if image.is_mosaic else sites
    return {"s": sites, "t": image.timepoints, "c": range(len(image.channels)), "z": image.z_indexes}
