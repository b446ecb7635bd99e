"""What a plate gives to a pipeline: the selected wells, sites, channels, z and timepoints, and what is absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.compiler.colours import channel_colour
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.plan import ImageChannel, ImagePlan, Plan, Problem
from hcs_core.errors import PlateError, did_you_mean
from hcs_core.plate.inventory import PlaneKind, PlaneState, PlaneTable, Plate
from hcs_core.plate.wells import select_wells

_MOST_NAMED = 8


def channel_index(asked: str | int, names: Sequence[str], numbers: Sequence[int]) -> int | None:
    """Return which channel a name or a number means: a name first, as a channel may be called `2`; 0 is none."""
    if asked in names:
        return names.index(str(asked))
    return next((index for index, number in enumerate(numbers) if number and str(number) == str(asked)), None)


def with_source(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with the source image, the wells and their shapes, or with what is wrong with them."""
    plate = given.plate
    problems: list[Problem] = []
    wells = _wells(given, problems)
    channels = _channels(given, problems)
    sites = _chosen("site", given.selection.sites, np.unique(plate.planes.site).tolist(), problems)
    timepoints = _chosen("timepoint", given.selection.timepoints, plate.timepoints, problems)
    slices = _z_indexes(given, problems)
    if plate.image_shape is None or plate.dtype is None:
        hint = "See `hcs inspect` for the files and what is wrong with them."
        problems.append(Problem(message="no plane of this plate can be read.", hint=hint))
    if problems or plate.image_shape is None or plate.dtype is None:
        return plan.with_problems(*problems)
    rows = _selected_rows(plate, wells, sites, channels, slices, timepoints)
    shapes, listed = _shapes(rows, wells)
    plan = attrs.evolve(
        plan,
        source=ImagePlan(
            channels=tuple(
                _image_channel(plate, number, index, len(channels)) for index, number in enumerate(channels)
            ),
            z_indexes=tuple(slices),
            timepoints=tuple(timepoints),
            shape=plate.image_shape,
            dtype=plate.dtype,
            pixel_size_um=plate.pixel_size_um,
            z_step_um=plate.z_step_um,
            time_step_s=plate.time_step_s,
        ),
        well_shapes=shapes,
        wells=listed,
    )
    if not len(rows):
        hint = "Select others; `hcs inspect` shows what the plate has."
        return plan.with_problems(Problem(message="no plane is in all of what is selected.", hint=hint))
    return plan.with_problems(*_absent(rows, len(channels) * len(slices) * len(timepoints)))


def _image_channel(plate: Plate, number: int, index: int, count: int) -> ImageChannel:
    channel = plate.channel(number)
    return ImageChannel(name=channel.name, number=number, colour=channel_colour(index, count, channel.wavelength_nm))


def _wells(given: CompileInput, problems: list[Problem]) -> tuple[str, ...]:
    try:
        return select_wells(given.selection.wells, given.plate.wells)
    except PlateError as error:
        problems.append(Problem(message=str(error)))
        return ()


def _channels(given: CompileInput, problems: list[Problem]) -> list[int]:
    """Return the numbers of the selected channels, in the plate's order."""
    plate = given.plate
    if given.selection.channels is None:
        return [channel.number for channel in plate.channels]
    chosen = set()
    for asked in given.selection.channels:
        names = [channel.name for channel in plate.channels]
        index = channel_index(asked, names, [channel.number for channel in plate.channels])
        if index is not None:
            chosen.add(plate.channels[index].number)
        else:
            problems.append(
                Problem(
                    message=f"the plate has no channel {asked!r}.{did_you_mean(str(asked), names)}",
                    hint=f"It has {', '.join(names)}.",
                )
            )
    return sorted(chosen)


def _chosen(word: str, asked: tuple[int, ...] | None, there: Sequence[int], problems: list[Problem]) -> list[int]:
    if asked is None:
        return list(there)
    wrong = [number for number in asked if number not in there]
    if wrong:
        problems.append(
            Problem(
                message=f"the plate has no {word} {', '.join(map(str, wrong))}.",
                hint=f"It has {', '.join(map(str, there))}.",
            )
        )
    return sorted(number for number in asked if number in there)


def _z_indexes(given: CompileInput, problems: list[Problem]) -> list[int]:
    """Return the z_indexes: acquired planes, and projections (0) only where asked for or nothing else is there."""
    plate = given.plate
    everything = np.unique(plate.planes.z_index).tolist()
    asked = given.selection.z
    if asked is None:
        return list(plate.z_indexes) or everything
    if 0 in asked and len(asked) > 1:
        problems.append(
            Problem(
                message="projections (z 0) and slices cannot share an image.",
                hint="Run once with --z 0 and once with the slices, into two outputs.",
            )
        )
    return _chosen("z_index", asked, everything, problems)


def _selected_rows(
    plate: Plate,
    wells: Sequence[str],
    sites: Sequence[int],
    channels: Sequence[int],
    slices: Sequence[int],
    timepoints: Sequence[int],
) -> PlaneTable:
    planes = planes_of(plate.planes, channels, slices, timepoints)
    position = {well: index for index, well in enumerate(planes.wells)}
    chosen = np.isin(planes.well, np.asarray([position[well] for well in wells], np.int32))
    return planes.select(chosen & np.isin(planes.site, np.asarray(sites, np.int32)))


def planes_of(
    planes: PlaneTable, channels: Sequence[int], z_indexes: Sequence[int], timepoints: Sequence[int]
) -> PlaneTable:
    """Return the planes of these channels, z_indexes and timepoints, at every site: what an image is made of.

    Where z_index 0 alone is asked for, these are the microscope's projections, else what was acquired. What was never
    acquired is no part of the layout; a site that lacks it is uneven, and said to be.
    """
    kind = PlaneKind.PROJECTION if tuple(z_indexes) == (0,) else PlaneKind.ACQUIRED
    mask = (planes.kind == kind) & (planes.state != PlaneState.NOT_ACQUIRED)
    for column, wanted in ((planes.channel, channels), (planes.z_index, z_indexes), (planes.timepoint, timepoints)):
        mask &= np.isin(column, np.asarray(wanted, np.int32))
    return planes.select(mask)


def _shapes(
    rows: PlaneTable, wells: Sequence[str]
) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[str, int], ...]]:
    """Return the different lists of sites, and each well that has any with the position of its list."""
    first = _site_starts(rows)
    well, site = rows.well[first], rows.site[first]
    starts = np.searchsorted(well, np.arange(len(rows.wells) + 1))
    position = {name: index for index, name in enumerate(rows.wells)}
    shapes: dict[tuple[int, ...], int] = {}
    listed = []
    for name in wells:
        index = position[name]
        sites = tuple(site[starts[index] : starts[index + 1]].tolist())
        if sites:
            listed.append((name, shapes.setdefault(sites, len(shapes))))
    return tuple(shapes), tuple(listed)


def _site_starts(rows: PlaneTable) -> npt.NDArray[np.int64]:
    """Return the first row of each (well, site): planes are sorted by them."""
    new = (np.diff(rows.well) != 0) | (np.diff(rows.site) != 0)
    starts: npt.NDArray[np.int64] = (
        np.concatenate([[0], np.flatnonzero(new) + 1]) if len(rows) else np.zeros(0, np.int64)
    )
    return starts


def _absent(rows: PlaneTable, planes_per_site: int) -> list[Problem]:
    """Return what the policy `error` refuses: planes that the layout expects and nobody has."""
    problems = []
    lacking: npt.NDArray[Any] = np.isin(rows.state, (PlaneState.MISSING, PlaneState.NOT_RECORDED)).nonzero()[0]
    if lacking.size:
        problems.append(_absent_problem(rows, lacking.tolist()))
    starts = _site_starts(rows)
    counts = np.diff(starts, append=len(rows))
    uneven = (counts != planes_per_site).nonzero()[0]
    if uneven.size:
        row = starts[uneven[0]]
        well, site = rows.well[row], rows.site[row]
        problems.append(
            Problem(
                message=f"{uneven.size} site(s) have not {planes_per_site} planes, as the selected channels, z and "
                f"timepoints make it; the first is well {rows.wells[well]}, site {site}, with {counts[uneven[0]]}.",
                hint="Select the channels, z or timepoints that all of them have.",
            )
        )
    return problems


def _absent_problem(rows: PlaneTable, lacking: list[int]) -> Problem:
    def describe(index: int) -> str:
        plane = rows.plane(index)
        return (
            f"{plane.well} site {plane.site} channel {plane.channel} z {plane.z_index} t {plane.timepoint} "
            f"({plane.state.word})"
        )

    named = "; ".join(describe(index) for index in lacking[:_MOST_NAMED])
    more = f"; and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
    wells = sorted({rows.wells[rows.well[index]] for index in lacking})
    return Problem(
        message=f"{len(lacking)} plane(s) of the plate are absent: {named}{more}.",
        hint=f"Leave them out, for example with --wells '~{wells[0]}', or with --sites.",
    )
