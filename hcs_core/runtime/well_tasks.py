"""The tasks of a plan: each well with its sites and its planes."""

from __future__ import annotations

import numpy as np

from hcs_core.compiler.plan import Plan
from hcs_core.compiler.source_image import planes_of
from hcs_core.plate.inventory import Plate
from hcs_core.runtime.task import WellTask


def well_tasks(plan: Plan, plate: Plate) -> tuple[WellTask, ...]:
    """Return a task for each well of the plan, in the plate's order; its planes are those that the plan reads."""
    if plan.source is None:
        return ()
    source = plan.source
    numbers = [channel.number for channel in source.channels]
    chosen = planes_of(plate.planes, numbers, source.z_indexes, source.timepoints)
    tasks = []
    for well, shape in plan.wells:
        sites = plan.well_shapes[shape]
        own = chosen.of_well(well)
        tasks.append(WellTask(well=well, sites=sites, planes=own.select(np.isin(own.site, sites))))
    return tuple(tasks)
