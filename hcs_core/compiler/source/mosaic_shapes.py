"""The canvases of all wells, put into the shapes that wells share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs
import numpy as np

from hcs_core.compiler.canvas import Canvas, TileFrame
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.plate.inventory import Plate


def known_centres(plate: Plate) -> dict[tuple[str, int], tuple[float, float]]:
    """Return (y, x) in um of each field's centre from its well's, by (well, site), where that is a place."""
    return {
        place: (position.y_um, position.x_um)
        for place, position in plate.positions.items()
        if math.isfinite(position.y_um) and math.isfinite(position.x_um)
    }


def with_canvases(plan: Plan, plate: Plate, frames: Sequence[TileFrame]) -> Plan:
    """Return the plan with the canvases of its wells, one for each kind of tiles that are stitched.

    Wells that had one shape have several where their canvases differ.
    """
    if not frames or not plan.wells:
        return plan
    wells = [(well, plan.well_shapes[index].sites) for well, index in plan.wells]
    unknown = (float("nan"), float("nan"))
    known = known_centres(plate)
    centres = np.array([known.get((well, site), unknown) for well, sites in wells for site in sites], np.float64)
    of_frame = [frame.canvases(wells, centres) for frame in frames]
    shapes: dict[tuple[int, tuple[Canvas, ...]], int] = {}
    listed = []
    for number, (well, index) in enumerate(plan.wells):
        canvases = tuple(canvases[number] for canvases in of_frame)
        listed.append((well, shapes.setdefault((index, canvases), len(shapes))))
    made: tuple[WellShape, ...] = tuple(
        attrs.evolve(plan.well_shapes[index], canvases=canvases) for index, canvases in shapes
    )
    return attrs.evolve(plan, well_shapes=made, wells=tuple(listed), tile_frames=tuple(frames))
