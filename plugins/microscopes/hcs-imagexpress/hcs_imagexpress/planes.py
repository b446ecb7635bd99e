"""From the files of a plate to its table of planes: a row for each plane that is there or should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core import PlaneKind, PlaneState, PlaneTable, parse_well
from hcs_imagexpress.names import acquisition_of, acquisition_order

READER = "tiff"

Repeated = tuple[tuple[str, tuple[str, ...]], ...]
"""For each plane with several files the one that is kept, and the others."""


@attrs.frozen
class _Run:
    """Files that were listed one after the other in one folder, and what the folder says of them."""

    z_index: int
    timepoint: int
    count: int


@attrs.define(kw_only=True)
class Files:
    """The images of a plate as they are listed: a million names make two lists, and the rest is said once."""

    places: dict[tuple[str, int, int], int] = attrs.field(factory=dict)
    """The number of each (well, site, channel) that a name says."""
    place: list[int] = attrs.field(factory=list)
    """Each file's place, as its number in `places`."""
    uri: list[str] = attrs.field(factory=list)
    gone: set[str] = attrs.field(factory=set)
    """Those uris that are links to nothing."""
    acquisitions: set[str] = attrs.field(factory=set)
    """The folders of the acquisitions that have files; empty for those of no such folder."""
    runs: list[_Run] = attrs.field(factory=list)
    _in_runs: int = attrs.field(default=0, init=False)

    def number_of(self, well: str, site: int, channel: int) -> int:
        """Return the number of a place, a new one for a new place."""
        return self.places.setdefault((well, site, channel), len(self.places))

    def end_folder(self, path: str, z_index: int, timepoint: int) -> None:
        """Say of the files that were added since the last folder's end which folder they lie in."""
        count = len(self.uri) - self._in_runs
        if count:
            self._in_runs = len(self.uri)
            self.runs.append(_Run(z_index, timepoint, count))
            self.acquisitions.add(acquisition_of(path))

    @property
    def wells(self) -> set[str]:
        """The wells that have a file."""
        return {well for well, _, _ in self.places}

    @property
    def sites(self) -> set[int]:
        """The sites that have a file."""
        return {site for _, site, _ in self.places}

    @property
    def channels(self) -> set[int]:
        """The channels that have a file."""
        return {channel for _, _, channel in self.places}

    @property
    def z_indexes(self) -> set[int]:
        """The z_indexes that have a file, 0 for projections."""
        return {run.z_index for run in self.runs}

    @property
    def timepoints(self) -> set[int]:
        """The timepoints that have a file."""
        return {run.timepoint for run in self.runs}


def plane_table(files: Files) -> tuple[PlaneTable, Repeated]:
    """Return the table of all planes, and for each plane with several files the one kept and the others.

    Planes are the grid of the wells with files, the sites of any well, and the (channel, z_index, timepoint) of
    any site: what no file of the grid holds is `NOT_RECORDED`. Of several files for one plane that of the newest
    acquisition is kept, then the first by name; each other one is a row of its own, `DUPLICATE`. A z_index of 0 is
    a projection.
    """
    wells = sorted(files.wells, key=parse_well)
    sites = np.asarray(sorted(files.sites))
    stacks, stack = _stacks(files)
    shape = (len(wells), len(sites), len(stacks))
    number = {well: index for index, well in enumerate(wells)}
    well_of_place = np.asarray([number[well] for well, _, _ in files.places])
    site_of_place = np.searchsorted(sites, [site for _, site, _ in files.places])
    place = np.asarray(files.place)
    cell = np.ravel_multi_index((well_of_place[place], site_of_place[place], stack), shape)
    kept, others, repeated = _choose_files(cell, int(np.prod(shape)), files)
    row = np.concatenate((kept, others))
    well, site, stack = np.unravel_index(np.concatenate((np.arange(len(kept)), cell[others])), shape)
    timepoint, channel, z_index = stacks[stack].T
    # A row of -1 is no file: it takes the text at the end.
    uris = [*files.uri, ""]
    uri = [uris[index] for index in row.tolist()]
    table = PlaneTable.build(
        wells=wells,
        well=_column(well),
        site=_column(sites[site]),
        channel=_column(channel),
        z_index=_column(z_index),
        timepoint=_column(timepoint),
        kind=_column(np.where(z_index == 0, PlaneKind.PROJECTION, PlaneKind.ACQUIRED)),
        state=_column(_states(row, len(kept), uri, files.gone)),
        uri=uri,
        reader=READER,
    )
    return table, repeated


def _column(numbers: npt.NDArray[Any]) -> Sequence[int]:
    """Return an array as the sequence that it is: a list of a million numbers would be made to be an array again."""
    return cast("Sequence[int]", numbers)


def _stacks(files: Files) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the different (timepoint, channel, z_index) in their order, and each file's position among them."""
    channels = np.asarray(sorted(files.channels))
    channel_of_place = np.searchsorted(channels, [channel for _, _, channel in files.places])
    run = np.repeat(np.arange(len(files.runs)), [run.count for run in files.runs])
    # Each file's folder and channel in one number: few, so that counting finds the different ones, without sorting.
    pair = run * len(channels) + channel_of_place[files.place]
    found = np.flatnonzero(np.bincount(pair))
    folders = np.asarray([(run.timepoint, run.z_index) for run in files.runs])
    timepoint, z_index = folders[found // len(channels)].T
    stacks, position = np.unique(
        np.stack((timepoint, channels[found % len(channels)], z_index), axis=1), axis=0, return_inverse=True
    )
    stack = np.empty(found[-1] + 1, np.int64)
    stack[found] = position.ravel()
    return stacks, stack[pair]


def _choose_files(
    cell: npt.NDArray[np.intp], cells: int, files: Files
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Repeated]:
    """Return the file of each cell (-1: none), the files that are others' copies, and the names of both."""
    kept = np.full(cells, -1, np.int64)
    kept[cell] = np.arange(len(cell))
    several = np.bincount(cell, minlength=cells) > 1
    of_cell: dict[int, list[int]] = {}
    for row in np.flatnonzero(several[cell]).tolist():
        of_cell.setdefault(int(cell[row]), []).append(row)
    others: list[int] = []
    repeated = []
    for place, rows in of_cell.items():
        first, *rest = sorted(rows, key=lambda row: _preference(files.uri[row], files.gone))
        kept[place] = first
        others.extend(rest)
        repeated.append((files.uri[first], tuple(files.uri[row] for row in rest)))
    return kept, np.asarray(others, np.int64), tuple(sorted(repeated))


def _preference(uri: str, gone: set[str]) -> tuple[bool, int, int, str]:
    """Sort files of one plane: those that are there, the newest acquisition's, the first by name."""
    day, number = acquisition_order(uri)
    return uri in gone, -day, -number, uri


def _states(row: npt.NDArray[np.int64], planes: int, uri: list[str], gone: set[str]) -> npt.NDArray[np.uint8]:
    """Return the state of each row: first those of the planes, then those of the duplicates."""
    state = np.where(row < 0, PlaneState.NOT_RECORDED, PlaneState.PRESENT).astype(np.uint8)
    if gone:
        state[[name in gone for name in uri]] = PlaneState.MISSING
    state[planes:] = PlaneState.DUPLICATE
    return state
