"""Which planes of a plate gave no pixels to a run, and what was done about it: `results/planes.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from hcs_core.arrays.csv_text import csv_text
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.source.source_image import planes_of
from hcs_core.pipeline.names import MissingData
from hcs_core.plate.inventory import Plate
from hcs_core.plate.plane_table import LACKING, PlaneState
from hcs_core.runtime.task import AbsentPlane, WellRecord

PLANE_COLUMNS = (
    "Metadata_Plate", "Metadata_Well", "Metadata_Site", "channel", "channel_name", "z_index", "timepoint", "kind",
    "state", "file", "action",
)  # fmt: skip

REPORTED = "reported"
"""The action where nothing had to be done: what was never acquired is no missing data."""


@attrs.frozen(kw_only=True)
class AbsentRow:
    """A plane that gave no pixels, in its well, and what was done: the policy, or `reported`."""

    well: str
    plane: AbsentPlane
    action: str

    def to_json(self) -> dict[str, Any]:
        """Return what `run.json` holds of it."""
        return {"well": self.well, **attrs.asdict(self.plane), "action": self.action}


def absent_rows(plan: Plan, plate: Plate, records: Mapping[str, WellRecord]) -> tuple[AbsentRow, ...]:
    """Return every plane of the selection that gave no pixels, by well, site, timepoint, channel and z_index.

    These are the planes for which sites were left out by the plan, those whose files turned out to be unreadable, and
    the places that images keep along z for planes that were never acquired.
    """
    found = [*_left_out(plan, plate), *_found_in_the_run(plan, records)]
    # Planes that were filled leave gaps as well as those that nobody took.
    named = {(row.well, _where(row.plane)) for row in found}
    found += [row for row in _never_acquired(plan, records) if (row.well, _where(row.plane)) not in named]
    order = {well: index for index, well in enumerate(plate.planes.wells)}
    # A plane that several pipelines take is absent once.
    return tuple(sorted(dict.fromkeys(found), key=lambda row: (order[row.well], *_place(row.plane))))


def present_planes(plan: Plan, plate: Plate, records: Mapping[str, WellRecord]) -> dict[str, int]:
    """Return of how many planes of the selection each well's made images are.

    These are the planes at its sites that are there, less those that turned out in the run to give no pixels.
    """
    planes = planes_of(plate.planes, plan.sources)
    planes = planes.select(planes.state == PlaneState.PRESENT)
    position = {well: index for index, well in enumerate(planes.wells)}
    found = {}
    order = np.argsort(planes.well, kind="stable")
    wells, sites = planes.well[order], planes.site[order]
    for well, record in records.items():
        start, stop = np.searchsorted(wells, [position[well], position[well] + 1]) if well in position else (0, 0)
        unusable = sum(plane.site in record.sites for plane in record.absent)
        found[well] = int(np.isin(sites[start:stop], record.sites).sum()) - unusable
    return found


def _place(plane: AbsentPlane) -> tuple[int, int, int, int, str]:
    return plane.site, plane.timepoint, plane.channel, plane.z_index, plane.file


def _where(plane: AbsentPlane) -> tuple[int, int, int, int, str]:
    return plane.site, plane.timepoint, plane.channel, plane.z_index, plane.kind


def _left_out(plan: Plan, plate: Plate) -> Iterator[AbsentRow]:
    """Yield the planes that the inventory knew to be absent, of the sites that were left out or filled for them."""
    left_out = {*plan.skipped_sites, *plan.filled_sites}
    if not left_out:
        return
    planes = planes_of(plate.planes, plan.sources)
    for index in np.flatnonzero(np.isin(planes.state, LACKING)).tolist():
        plane = planes.plane(index)
        if (plane.well, plane.site) in left_out:
            yield AbsentRow(well=plane.well, plane=AbsentPlane.of(plane, plane.state), action=plan.missing)


def _found_in_the_run(plan: Plan, records: Mapping[str, WellRecord]) -> Iterator[AbsentRow]:
    for well, record in records.items():
        for plane in record.absent:
            yield AbsentRow(well=well, plane=plane, action=plan.missing)
        if record.fault is not None and record.fault.plane is not None:
            yield AbsentRow(well=well, plane=record.fault.plane, action=str(MissingData.ERROR))


def _never_acquired(plan: Plan, records: Mapping[str, WellRecord]) -> Iterator[AbsentRow]:
    """Yield the planes that nobody took and whose places images keep: there they read as 0."""
    if all(output.image.is_projection for output in plan.outputs):
        return
    lanes = plan.lanes
    for well, index in plan.wells:
        shape = plan.well_shapes[index]
        made = records[well].sites if well in records else ()
        for site, gap in zip(shape.sites, shape.gaps, strict=True):
            for lane, timepoint, z_index in plan.gaps[gap] if site in made else ():
                image, channel = lanes[lane]
                plane = AbsentPlane(
                    site=site,
                    channel=channel.number,
                    z_index=z_index,
                    timepoint=timepoint,
                    kind=image.plane_kind.name.lower(),
                    state=PlaneState.NOT_ACQUIRED.word,
                )
                yield AbsentRow(well=well, plane=plane, action=REPORTED)


def planes_csv(plate: Plate, rows: Iterable[AbsentRow]) -> str:
    """Return the table of absent planes."""
    names = {channel.number: channel.name for channel in plate.channels}
    lines = (
        (
            plate.name, row.well, plane.site, plane.channel, names[plane.channel], plane.z_index, plane.timepoint,
            plane.kind, plane.state, plane.file, row.action,
        )
        for row in rows
        for plane in (row.plane,)
    )  # fmt: skip
    return csv_text(PLANE_COLUMNS, lines)
