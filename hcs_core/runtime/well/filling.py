"""Planes that turn out to give no pixels become gaps of their site: the well is made without them alone."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.runtime.task import AbsentPlane


def with_gaps(plan: Plan, shape: WellShape, absent: Iterable[AbsentPlane]) -> tuple[Plan, WellShape]:
    """Return the plan and a well's shape in which these planes are absent, for this one run of the well."""
    lacks: dict[int, set[tuple[int, int, int]]] = {}
    for plane in absent:
        # Of several pipelines, more than one may read it.
        for lane, (image, channel) in enumerate(plan.lanes):
            is_read = plane.z_index in image.z_indexes and plane.timepoint in image.timepoints
            if is_read and (channel.number, image.plane_kind.name.lower()) == (plane.channel, plane.kind):
                lacks.setdefault(plane.site, set()).add((lane, plane.timepoint, plane.z_index))
    known = dict(zip(shape.sites, shape.gaps, strict=True))
    gaps = list(plan.gaps)
    moved = {}
    for site, places in sorted(lacks.items()):
        moved[site] = len(gaps)
        gaps.append(tuple(sorted({*plan.gaps[known[site]], *places})))
    # A site of which nothing is left is left out, as it is where that is known before.
    whole = sum(len(image.channels) * len(image.timepoints) * len(image.z_indexes) for image in plan.sources)
    empty = {site for site, index in moved.items() if len(gaps[index]) == whole}
    return attrs.evolve(plan, gaps=tuple(gaps)), shape.lacking(moved).without(empty)
