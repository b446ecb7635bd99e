"""The tasks of a plan: each well with its sites and its planes."""

from __future__ import annotations

import numpy as np

from hcs_core.compiler.plan import Plan
from hcs_core.compiler.source.source_image import planes_of
from hcs_core.plate.inventory import Plate
from hcs_core.runtime.task import WellTask


def well_tasks(plan: Plan, plate: Plate) -> tuple[WellTask, ...]:
    """Return a task for each well of the plan, in the plate's order; its planes are those that the plan reads."""
    shapes = dict(plan.wells)
    tasks = []
    for well, own in planes_of(plate.planes, plan.sources).by_well():
        if well in shapes:
            shape = plan.well_shapes[shapes[well]]
            planes = own.select(np.isin(own.site, shape.sites))
            positions = positions_of(plan, plate, well, shape.sites)
            tasks.append(WellTask(well=well, shape=shape, planes=planes, positions=positions))
    return tuple(tasks)


def positions_of(plan: Plan, plate: Plate, well: str, sites: tuple[int, ...]) -> dict[int, tuple[float, float]]:
    """Return where the sites of a well lie, if the plan stitches: (y, x) in um from its centre, where known."""
    if not plan.stitches:
        return {}
    known = ((site, plate.positions.get((well, site))) for site in sites)
    return {site: (position.y_um, position.x_um) for site, position in known if position is not None}
