"""What a plate gives to a pipeline: its images, the wells and their shapes, and what sites lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.graph.inputs import reads_plate
from hcs_core.compiler.image_plan import PROJECTION_Z, ImageChannel, ImagePlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.source.absent_planes import kept_rows
from hcs_core.compiler.source.agreement import disagreements
from hcs_core.compiler.source.colours import channel_colour
from hcs_core.compiler.source.selected import Chosen, chosen_part
from hcs_core.compiler.well_shape import WellShape
from hcs_core.pipeline.names import MissingData
from hcs_core.plate.inventory import Plate
from hcs_core.plate.plane_order import begins_site
from hcs_core.plate.plane_table import LACKING, NO_PART, PlaneKind, PlaneTable


def with_source(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with its sources, the wells and their shapes, or with what is wrong with them."""
    plate = given.plate
    problems: list[Problem] = []
    parts = [chosen_part(plate, pipeline.select, problems) for pipeline in given.pipelines]
    if plate.image_shape is None or plate.dtype is None:
        hint = "See `hcs inspect` for the files and what is wrong with them."
        problems.append(Problem(message="no plane of this plate can be read.", hint=hint))
    if problems:
        return plan.with_problems(*dict.fromkeys(problems))
    plan = plan.with_problems(*disagreements(given, parts))
    each = _sources_of_each(given, parts, problems)
    sources = tuple(dict.fromkeys(source for own in each for source in own))
    if problems or not sources:
        return plan.with_problems(*(dict.fromkeys(problems) or _nothing(sources)))
    wells = parts[0].wells
    first = _first_of_each(plate.planes, wells)
    rows = _selected_rows(plate.planes.of_wells(first.values()), parts[0], sources)
    kept = kept_rows(rows, MissingData(plan.missing))
    gaps, shapes, listed = _shapes(kept.rows, tuple(first.values()), sources)
    listed = _expanded(listed, first, plate.planes, wells)
    plan = attrs.evolve(
        plan,
        sources=sources,
        starts=tuple(tuple(sources.index(source) for source in own) for own in each),
        gaps=gaps,
        well_shapes=shapes,
        wells=listed,
        skipped_wells=kept.wells,
        skipped_sites=kept.sites,
        filled_sites=kept.filled,
    )
    return plan.with_problems(*kept.problems, *_nothing(rows))


def _first_of_each(planes: PlaneTable, wells: Sequence[str]) -> dict[int, str]:
    """Return the first of those of the wells that are alike, by their number; all wells where planes are absent.

    What is absent is named well by well.
    """
    if np.isin(planes.one_of_each.state, LACKING).any():
        return dict(enumerate(wells))
    first: dict[int, str] = {}
    for well in wells:
        first.setdefault(planes.alike[well], well)
    return first


def _expanded(
    listed: Sequence[tuple[str, int]], first: Mapping[int, str], planes: PlaneTable, wells: Sequence[str]
) -> tuple[tuple[str, int], ...]:
    """Return every well with the shape of the one that stands for it, where that has one."""
    if len(first) == len(wells):
        return tuple(listed)
    shape_of = dict(listed)
    number = {planes.alike[well]: shape_of[well] for well in first.values() if well in shape_of}
    return tuple((well, number[planes.alike[well]]) for well in wells if planes.alike[well] in number)


def _sources_of_each(
    given: CompileInput, parts: Sequence[Chosen], problems: list[Problem]
) -> list[tuple[ImagePlan, ...]]:
    """Return the sources of each pipeline, none of one that takes nothing from the plate."""
    each: list[tuple[ImagePlan, ...]] = []
    for pipeline, part in zip(given.pipelines, parts, strict=True):
        own: tuple[ImagePlan, ...] = ()
        if reads_plate(pipeline):
            own = _sources(given.plate, part, named=pipeline.select.channels is not None, problems=problems)
            problems.extend(() if problems else _nothing(own))
        each.append(own)
    return each


def planned_shapes(
    given: CompileInput,
    sources: tuple[ImagePlan, ...],
    kept: Callable[[PlaneTable], PlaneTable],
    wells: Sequence[str],
) -> tuple[tuple[Gap, ...], tuple[WellShape, ...], tuple[tuple[str, int], ...]]:
    """Return gaps, shapes and wells of the plate as planned, as `with_source` does of the selected wells.

    `kept` says which of the selected planes are left.
    """
    chosen = attrs.evolve(chosen_part(given.plate, given.pipelines[0].select, []), wells=tuple(wells))
    rows = _selected_rows(given.plate.planes.of_wells(wells), chosen, sources)
    return _shapes(kept(rows), wells, sources)


def _nothing(found: Sequence[ImagePlan] | PlaneTable) -> tuple[Problem, ...]:
    hint = "Select others; `hcs inspect` shows what the plate has."
    return () if len(found) else (Problem(message="no plane is in all of what is selected.", hint=hint),)


def _sources(plate: Plate, chosen: Chosen, *, named: bool, problems: list[Problem]) -> tuple[ImagePlan, ...]:
    """Return the image of what was acquired, and that of projections.

    Projections are taken where they are asked for (z 0), or of channels that have nothing else. A channel of which
    there is nothing is left out, unless somebody named it.
    """
    planes = plate.planes.one_of_each
    part = ~np.isin(planes.state, NO_PART)
    acquired = part & (planes.kind == PlaneKind.ACQUIRED)
    projected = part & (planes.kind == PlaneKind.PROJECTION)
    asked_for = chosen.z_indexes == (PROJECTION_Z,)
    has_slices = set() if asked_for else set(np.unique(planes.channel[acquired]).tolist())
    slices = acquired & np.isin(planes.timepoint, chosen.timepoints)
    if chosen.z_indexes is not None:
        slices &= np.isin(planes.z_index, chosen.z_indexes)
    found = (
        _source(plate, slices, [number for number in chosen.channels if number in has_slices], ""),
        _source(
            plate,
            projected & np.isin(planes.timepoint, chosen.timepoints),
            [number for number in chosen.channels if number not in has_slices],
            "z",
        ),
    )
    sources = tuple(source for source in found if source is not None)
    there = [channel.number for source in sources for channel in source.channels]
    for number in chosen.channels if named else ():
        if number not in there:
            name = plate.channel(number).name
            hint = "Leave it out; `hcs inspect` shows what there is."
            problems.append(Problem(message=f"no plane of channel {name!r} is in what is selected.", hint=hint))
    return _coloured(plate, sources, sorted(there))


def _source(plate: Plate, mask: npt.NDArray[np.bool_], channels: Sequence[int], reduced: str) -> ImagePlan | None:
    """Return the image of these channels and rows; `None` where there is none."""
    planes = plate.planes.one_of_each
    mask = mask & np.isin(planes.channel, channels)
    there = np.unique(planes.channel[mask]).tolist()
    if not there or plate.image_shape is None or plate.dtype is None:
        return None
    return ImagePlan(
        channels=tuple(ImageChannel(name=plate.channel(number).name, number=number) for number in there),
        z_indexes=tuple(np.unique(planes.z_index[mask]).tolist()),
        timepoints=tuple(np.unique(planes.timepoint[mask]).tolist()),
        reduced=reduced,
        shape=plate.image_shape,
        dtype=plate.dtype,
        pixel_size_um=plate.pixel_size_um,
        z_step_um=None if reduced else plate.z_step_um,
        time_step_s=plate.time_step_s,
    )


def _coloured(plate: Plate, sources: tuple[ImagePlan, ...], numbers: list[int]) -> tuple[ImagePlan, ...]:
    def colour(channel: ImageChannel) -> ImageChannel:
        wavelength = plate.channel(channel.number).wavelength_nm
        place = numbers.index(channel.number)
        return attrs.evolve(channel, colour=channel_colour(place, len(numbers), wavelength))

    return tuple(attrs.evolve(source, channels=tuple(map(colour, source.channels))) for source in sources)


def _selected_rows(of_wells: PlaneTable, chosen: Chosen, sources: tuple[ImagePlan, ...]) -> PlaneTable:
    planes = planes_of(of_wells, sources)
    return planes.select(np.isin(planes.site, np.asarray(chosen.sites, np.int32)))


def planes_of(planes: PlaneTable, sources: Sequence[ImagePlan]) -> PlaneTable:
    """Return the planes that these images are made of, at every site, absent ones too."""
    mask = np.zeros(len(planes), np.bool_)
    for source in sources:
        own = planes.kind == source.plane_kind
        for column, wanted in (
            (planes.channel, [channel.number for channel in source.channels]),
            (planes.z_index, source.z_indexes),
            (planes.timepoint, source.timepoints),
        ):
            own &= np.isin(column, np.asarray(wanted, np.int32))
        mask |= own
    return planes.select(mask & ~np.isin(planes.state, NO_PART))


Gap = tuple[tuple[int, int, int], ...]
"""The planes that a site lacks: lane, timepoint and z_index of each."""


def _shapes(
    rows: PlaneTable, wells: Sequence[str], sources: tuple[ImagePlan, ...]
) -> tuple[tuple[Gap, ...], tuple[WellShape, ...], tuple[tuple[str, int], ...]]:
    """Return the different gaps of sites, the different shapes of wells, and each well with its shape's position."""
    first = np.flatnonzero(begins_site(rows.well, rows.site))
    gap_of_site, gaps = _gaps(rows, first, sources)
    well, site = rows.well[first], rows.site[first]
    ends = np.searchsorted(well, np.arange(len(rows.wells) + 1, dtype=well.dtype)).tolist()
    position = {name: index for index, name in enumerate(rows.wells)}
    # Wells that are alike have the same bytes: that is found out much faster than that their shapes are equal.
    known: dict[tuple[bytes, bytes], int] = {}
    shapes: list[WellShape] = []
    listed = []
    for name in wells:
        place = position[name]
        sites, own_gaps = site[ends[place] : ends[place + 1]], gap_of_site[ends[place] : ends[place + 1]]
        if not len(sites):
            continue
        key = sites.tobytes(), own_gaps.tobytes()
        if key not in known:
            known[key] = len(shapes)
            shapes.append(WellShape(sites=tuple(sites.tolist()), gaps=tuple(own_gaps.tolist())))
        listed.append((name, known[key]))
    return gaps, tuple(shapes), tuple(listed)


def _gaps(
    rows: PlaneTable, starts: npt.NDArray[np.int64], sources: tuple[ImagePlan, ...]
) -> tuple[npt.NDArray[np.int64], tuple[Gap, ...]]:
    """Return for each site which gaps it has, and the different gaps; sites that lack nothing have the gaps `()`."""
    grid = [
        (lane, timepoint, z_index)
        for lane, source in enumerate(image for image in sources for _ in image.channels)
        for timepoint in source.timepoints
        for z_index in source.z_indexes
    ]
    known: dict[bytes, int] = {}
    gaps: dict[Gap, int] = {}

    def gap_of(own: npt.NDArray[np.int64]) -> int:
        key = own.tobytes()
        if key not in known:
            there = set(own.tolist())
            gap = tuple(place for index, place in enumerate(grid) if index not in there)
            known[key] = gaps.setdefault(gap, len(gaps))
        return known[key]

    row, cells = _cells(rows, sources)
    starts = np.searchsorted(row, starts)
    ends = np.append(starts, len(cells)).tolist()
    same = _same_as_the_first(cells, starts)
    # The first one's gaps are number 0.
    of_site = np.zeros(len(starts), np.int64)
    for index in [*range(min(1, len(starts))), *np.flatnonzero(~same).tolist()]:
        of_site[index] = gap_of(cells[ends[index] : ends[index + 1]])
    return of_site, tuple(gaps)


def _same_as_the_first(cells: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return for each site whether its cells are those of the first: most sites are alike."""
    same = np.zeros(len(starts), np.bool_)
    if len(starts):
        counts = np.diff(starts, append=len(cells))
        alike = np.flatnonzero(counts == counts[0])
        first = cells[: counts[0]]
        same[alike] = (cells[starts[alike, np.newaxis] + np.arange(len(first))] == first).all(axis=1)
    return same


def _cells(rows: PlaneTable, sources: tuple[ImagePlan, ...]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and their places in the grid of all lanes, timepoints and z_indexes, by row.

    Images of several pipelines may overlap: a row then has a place in each.
    """
    found = []
    offset = 0
    for source in sources:
        times, slices = np.asarray(source.timepoints), np.asarray(source.z_indexes)
        t, z = np.searchsorted(times, rows.timepoint), np.searchsorted(slices, rows.z_index)
        within = rows.kind == source.plane_kind
        within &= times[np.minimum(t, len(times) - 1)] == rows.timepoint
        within &= slices[np.minimum(z, len(slices) - 1)] == rows.z_index
        place = t * len(slices) + z
        for channel in source.channels:
            own = np.flatnonzero(within & (rows.channel == channel.number))
            found.append((own, offset + place[own]))
            offset += len(times) * len(slices)
    row, cells = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(row, kind="stable")
    return row[order], cells[order]
