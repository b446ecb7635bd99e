"""The tasks of a plan: each well with its sites and its planes."""

from __future__ import annotations

import numpy as np

from hcs_core.compiler.plan import Plan
from hcs_core.plate.inventory import PlaneKind, Plate
from hcs_core.runtime.task import WellTask


def well_tasks(plan: Plan, plate: Plate) -> tuple[WellTask, ...]:
    """Return a task for each well of the plan, in the plate's order; its planes are those that the plan reads."""
    if plan.source is None:
        return ()
    planes = plate.planes
    mask = planes.kind == (PlaneKind.PROJECTION if plan.source.z_indexes == (0,) else PlaneKind.ACQUIRED)
    for column, wanted in (
        (planes.channel, [channel.number for channel in plan.source.channels]),
        (planes.z_index, plan.source.z_indexes),
        (planes.timepoint, plan.source.timepoints),
    ):
        mask &= np.isin(column, np.asarray(wanted, np.int32))
    chosen = planes.select(mask)
    tasks = []
    for well, shape in plan.wells:
        sites = plan.well_shapes[shape]
        own = chosen.of_well(well)
        tasks.append(WellTask(well=well, sites=sites, planes=own.select(np.isin(own.site, sites))))
    return tuple(tasks)
