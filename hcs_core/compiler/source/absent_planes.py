"""What becomes of sites that lack planes: the policy for missing data, as far as the inventory shows it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.compiler.problem import Problem
from hcs_core.pipeline.names import MissingData
from hcs_core.plate.plane_order import begins_site
from hcs_core.plate.plane_table import LACKING, PlaneState, PlaneTable

_MOST_NAMED = 8


@attrs.frozen(kw_only=True)
class Kept:
    """The rows that are worked on; wells and sites that were left out for planes that they lack; sites to fill."""

    rows: PlaneTable
    wells: tuple[str, ...] = ()
    sites: tuple[tuple[str, int], ...] = ()
    filled: tuple[tuple[str, int], ...] = ()
    problems: tuple[Problem, ...] = ()


def kept_rows(rows: PlaneTable, missing: MissingData) -> Kept:
    """Return what a policy leaves of the selected planes.

    `error` refuses planes that are known to be absent; a file that is known to be unreadable fails its well when it
    is read, as one that turns out to be. `fill` leaves out the absent planes alone: where they belong, outputs stay
    unwritten, which reads as 0.
    """
    if missing == MissingData.ERROR:
        absent = np.isin(rows.state, (PlaneState.MISSING, PlaneState.NOT_RECORDED)).nonzero()[0]
        return Kept(rows=rows, problems=(_absent_problem(rows, absent.tolist()),) if absent.size else ())
    lacks: npt.NDArray[np.bool_] = np.isin(rows.state, LACKING)
    if not lacks.any():
        return Kept(rows=rows)
    if missing == MissingData.FILL:
        return _filled(rows, lacks)
    site_of_row = np.cumsum(begins_site(rows.well, rows.site))
    bad_sites: npt.NDArray[np.bool_] = np.isin(site_of_row, site_of_row[lacks])
    whole_wells = missing == MissingData.SKIP_WELL
    leave_out: npt.NDArray[np.bool_] = np.isin(rows.well, rows.well[lacks]) if whole_wells else bad_sites
    left = rows.select(~leave_out)
    return Kept(
        rows=left,
        wells=_wells_without_rows(rows, left),
        sites=_sites_of(rows, lacks),
        problems=() if len(left) else (_nothing_left(missing),),
    )


def _filled(rows: PlaneTable, lacks: npt.NDArray[np.bool_]) -> Kept:
    """Return the planes that are there; a site of which nothing is there is left out."""
    left = rows.select(~lacks)
    there = set(_sites_of(left, np.ones(len(left), np.bool_)))
    lacking = _sites_of(rows, lacks)
    return Kept(
        rows=left,
        wells=_wells_without_rows(rows, left),
        sites=tuple(site for site in lacking if site not in there),
        filled=tuple(site for site in lacking if site in there),
        problems=() if len(left) else (_nothing_left(MissingData.FILL),),
    )


def _sites_of(rows: PlaneTable, mask: npt.NDArray[np.bool_]) -> tuple[tuple[str, int], ...]:
    pairs = zip(rows.well[mask].tolist(), rows.site[mask].tolist(), strict=True)
    return tuple((rows.wells[well], site) for well, site in dict.fromkeys(pairs))


def _wells_without_rows(before: PlaneTable, after: PlaneTable) -> tuple[str, ...]:
    there = set(np.unique(after.well).tolist())
    return tuple(before.wells[well] for well in np.unique(before.well).tolist() if well not in there)


def _nothing_left(missing: MissingData) -> Problem:
    return Problem(
        message=f"every selected well lacks planes, and missing={missing} leaves none of them.",
        hint="`hcs inspect` says which are absent; select the channels, z or timepoints that are there.",
    )


def _absent_problem(rows: PlaneTable, absent: Sequence[int]) -> Problem:
    def describe(index: int) -> str:
        plane = rows.plane(index)
        return (
            f"{plane.well} site {plane.site} channel {plane.channel} z {plane.z_index} t {plane.timepoint} "
            f"({plane.state.word})"
        )

    named = "; ".join(describe(index) for index in absent[:_MOST_NAMED])
    more = f"; and {len(absent) - _MOST_NAMED} more" if len(absent) > _MOST_NAMED else ""
    return Problem(
        parameter="missing",
        message=f"{len(absent)} plane(s) of the plate are absent: {named}{more}.",
        hint="Leave out what lacks them with --missing skip-site or --missing skip-well, have them filled with "
        "--missing fill, or select others.",
    )
