"""What a well's run does with a stitcher: finds where its sites lie, and fuses their planes, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.arrays.positions_table import positions_table
from hcs_core.arrays.table import Table
from hcs_core.compiler.canvas import Points, TileFrame, centres_of
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import NodePlan, StitchPlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.errors import one_line
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.stitching_signatures import POSITIONS
from hcs_core.runtime.stitcher import Stitcher, TilePositions, new_stitcher
from hcs_core.runtime.task import Fault, WellFaultError, WellTask

Pixels = npt.NDArray[Any]

_TOLERANCE = 0.01
"""In pixels: what a position may lie beyond a canvas for rounding alone."""


@attrs.frozen(kw_only=True, eq=False)
class _Found:
    """What was found of a well: (n, 2) shifts in pixels of the plate's planes, beside where the stage says."""

    shifts: Points
    confidence: npt.NDArray[np.float64]


class MosaicWork:
    """Positions and mosaics of one well.

    Parameters
    ----------
    plan, plugins
        What is made, and where stitchers are registered.
    task
        The well as it was planned: its canvases and the grid of its pixels stay, whichever of its sites turn out to
        be unusable.
    shape
        The well as it is now.
    """

    def __init__(self, plan: Plan, plugins: PluginManager, task: WellTask, shape: WellShape) -> None:
        self._plan = plan
        self._plugins = plugins
        self._task = task
        self._sites = shape.sites
        self._found: dict[int, _Found] = {}
        self._tables: dict[int, Table] = {}

    def place(self, index: int, sites: Sequence[int], planes: Iterator[Pixels]) -> None:
        """Find the positions of the well's sites.

        Parameters
        ----------
        index
            The node.
        sites, planes
            The sites that have a plane to look at, and these planes; none where the stitcher looks at none.

        Raises
        ------
        WellFaultError
            The stitcher raised, or gave positions that are none.
        """
        node, stitch = self._node(index)
        nominal = self._yx(stitch.frame)
        shifts, confidence = np.zeros_like(nominal), np.zeros(len(nominal))
        given = stitch.frame.given
        if given is not None:
            known = given.confidence(self._task.well)
            confidence = np.array([known[site] for site in self._sites])
        else:
            looked = np.isin(self._sites, sites) if stitch.needs_pixels else np.ones(len(self._sites), np.bool_)
            if looked.any():
                found = self._positions(node, stitch, nominal[looked], planes)
                shifts[looked] = (found.yx - _from_zero(nominal[looked])) * stitch.frame.scale
                confidence[looked] = found.confidence
        self._found[index] = _Found(shifts=shifts, confidence=confidence)
        # Without a mosaic, they count from the first of the sites.
        self._note(index, _from_zero(nominal + shifts / stitch.frame.scale))

    def fuse(self, index: int, sites: Sequence[int], planes: Iterator[Pixels]) -> Pixels:
        """Return the (y, x) mosaic of these sites' planes.

        Raises
        ------
        WellFaultError
            The stitcher raised, gave another shape or dtype, or a site lies beyond the canvas.
        """
        node, stitch = self._node(index)
        positions = -1 if stitch.positions is None else stitch.positions
        found, frame = self._found[positions], stitch.frame
        canvas = self._task.shape.canvases[node.output.canvas or 0]
        yx = self._yx(frame) - np.array(canvas.origin) + found.shifts / frame.scale
        self._refuse_beyond(node, frame, yx, canvas.shape)
        if self._is_first_of(positions, index):
            self._note(positions, yx)
        own = yx[np.isin(self._sites, sites)]
        stitcher = self._stitcher(stitch)
        mosaic: Pixels = self._call(node, partial(stitcher.fuse, planes, own, canvas.shape, **dict(node.parameters)))
        _read_to_its_end(planes)
        shape, dtype = getattr(mosaic, "shape", None), getattr(mosaic, "dtype", None)
        if shape != canvas.shape or dtype != np.dtype(node.output.dtype):
            text = f"it gave a mosaic of {dtype} {shape}, and not {node.output.dtype} {canvas.shape}"
            raise _fault(node, text)
        return mosaic

    def tables(self) -> dict[str, Table]:
        """Return the positions that were found: the first as `positions`, others with their steps' names before."""
        taken = {artifact.name for artifact in self._plan.artifacts}
        found: dict[str, Table] = {}
        for index, table in self._tables.items():
            step = self._plan.nodes[index].step.replace("/", ".")
            name = f"{step}.{POSITIONS}" if found or POSITIONS in taken else POSITIONS
            found[name] = table
        return found

    def _node(self, index: int) -> tuple[NodePlan, StitchPlan]:
        node = self._plan.nodes[index]
        if node.stitch is None:
            raise _fault(node, "no stitcher does it")
        return node, node.stitch

    def _yx(self, frame: TileFrame) -> Points:
        """Return where the stage says that the well's tiles lie, or where the pipeline says it."""
        planned = self._task.sites
        centres = centres_of(planned, self._task.positions)
        yx = frame.placed([(self._task.well, planned)], centres).yx
        there: Points = yx[np.isin(planned, self._sites)]
        return there

    def _positions(
        self, node: NodePlan, stitch: StitchPlan, nominal: Points, planes: Iterator[Pixels]
    ) -> TilePositions:
        tiles = _Tiles(planes)
        every: list[Callable[[], Pixels]] = [partial(tiles.get, place) for place in range(len(nominal))]
        stitcher = self._stitcher(stitch)
        call = partial(stitcher.positions, every, _from_zero(nominal), **dict(node.parameters))
        found: TilePositions = self._call(node, call)
        _read_to_its_end(planes)
        if len(found.yx) != len(nominal):
            raise _fault(node, f"it gave {len(found.yx)} positions of {len(nominal)} sites")
        return found

    def _stitcher(self, stitch: StitchPlan) -> Stitcher:
        return new_stitcher(self._plugins, stitch.stitcher)

    def _call(self, node: NodePlan, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except WellFaultError:  # Of a plane that it asked for.
            raise
        # A stitcher may raise anything; it becomes the well's fault, with step and function.
        except Exception as error:
            raise _fault(node, f"it raised {one_line(error)}") from error

    def _refuse_beyond(self, node: NodePlan, frame: TileFrame, yx: Points, shape: tuple[int, int]) -> None:
        beyond = np.flatnonzero(((yx < -_TOLERANCE) | (yx + frame.shape > np.array(shape) + _TOLERANCE)).any(axis=1))
        if beyond.size:
            y, x = yx[beyond[0]].tolist()
            text = (
                f"it lies at ({y:.1f}, {x:.1f}) of a mosaic of {shape}, beyond its edge: the stitcher moved it by "
                f"more than {frame.margin} pixels"
            )
            raise _fault(node, text, self._sites[int(beyond[0])])

    def _is_first_of(self, positions: int, index: int) -> bool:
        """Whether a mosaic is the first that is made by some positions: it says in what pixels they are told."""
        users = (node.stitch is not None and node.stitch.positions == positions for node in self._plan.nodes)
        return next(number for number, uses in enumerate(users) if uses) == index

    def _note(self, index: int, yx: Points) -> None:
        confidence = self._found[index].confidence
        self._tables[index] = positions_table(self._plan.plate, self._task.well, self._sites, yx, confidence)


class _Tiles:
    """The planes of a well's sites by their places, whatever the order in which a stitcher asks for them.

    They are made in order, so that reading is as it was foreseen; those that were passed over wait.
    """

    def __init__(self, planes: Iterator[Pixels]) -> None:
        self._planes = enumerate(planes)
        self._waiting: dict[int, Pixels] = {}

    def get(self, place: int) -> Pixels:
        """Return the plane at a place, once."""
        while place not in self._waiting:
            number, plane = next(self._planes, (-1, None))
            if plane is None:
                raise ValueError(f"tile {place} was asked for twice, or there is none")
            self._waiting[number] = plane
        return self._waiting.pop(place)


def _read_to_its_end(planes: Iterator[Pixels]) -> None:
    """Take the planes that a stitcher left: others may wait for them."""
    for _ in planes:
        pass


def _from_zero(yx: Points) -> Points:
    least: Points = yx - yx.min(axis=0)
    return least


def mosaic_translation(plan: Plan, image: ImagePlan, task: WellTask) -> tuple[float, float] | None:
    """Return (y, x) in um of the centre of a mosaic's first pixel from the well's; `None` where it is not known."""
    if image.canvas is None or image.pixel_size_um is None:
        return None
    frame, canvas = plan.tile_frames[image.canvas], task.shape.canvases[image.canvas]
    centres = centres_of(task.sites, task.positions)
    fraction = frame.placed([(task.well, task.sites)], centres).fraction[0]
    if np.isnan(fraction).any():
        return None
    pixel = image.pixel_size_um / image.scale
    y, x = (
        (float(start + part) * canvas.scale + moved) * pixel
        for start, part, moved in zip(canvas.origin, fraction, image.origin, strict=True)
    )
    return y, x


def _fault(node: NodePlan, text: str, site: int | None = None) -> WellFaultError:
    place = "" if site is None else f", site {site}"
    error = f"step {node.step!r}, function {node.operation!r}{place}: {text}."
    return WellFaultError(Fault(error=error, site=site, step=node.step, function=node.operation))
