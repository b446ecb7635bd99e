"""The tasks of a plan: each well with its sites and its planes."""

from __future__ import annotations

import numpy as np

from hcs_core.compiler.plan import Plan
from hcs_core.compiler.source_image import planes_of
from hcs_core.plate.inventory import Plate
from hcs_core.runtime.task import WellTask


def well_tasks(plan: Plan, plate: Plate) -> tuple[WellTask, ...]:
    """Return a task for each well of the plan, in the plate's order; its planes are those that the plan reads."""
    shapes = dict(plan.wells)
    tasks = []
    for well, own in planes_of(plate.planes, plan.sources).by_well():
        if well in shapes:
            shape = plan.well_shapes[shapes[well]]
            tasks.append(WellTask(well=well, shape=shape, planes=own.select(np.isin(own.site, shape.sites))))
    return tuple(tasks)
