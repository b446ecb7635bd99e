"""From the files of a plate to its table of planes: one row for each plane that is there or should be."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core import PlaneKind, PlaneState, PlaneTable

READER = "tiff"

# Channel, timepoint and z_index in one whole number: the grammar allows 5, 7 and 6 digits of them.
_Z_BITS, _TIMEPOINT_BITS = 20, 24


@attrs.define(kw_only=True)
class Files:
    """The images of a plate in columns, as they are listed; the wells' names are kept once."""

    wells: dict[str, int] = attrs.field(factory=dict)
    """Each well's number in the column `well`."""
    well: list[int] = attrs.field(factory=list)
    site: list[int] = attrs.field(factory=list)
    channel: list[int] = attrs.field(factory=list)
    z_index: list[int] = attrs.field(factory=list)
    timepoint: list[int] = attrs.field(factory=list)
    uri: list[str] = attrs.field(factory=list)
    gone: set[str] = attrs.field(factory=set)
    """Those uris that are links to nothing."""

    def index_of_well(self, well: str) -> int:
        """Return a well's number, a new one for a new well."""
        return self.wells.setdefault(well, len(self.wells))

    def found(self, column: str) -> set[int]:
        """Return the different numbers of a column."""
        return set(getattr(self, column))


def plane_table(files: Files) -> tuple[PlaneTable, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return the table of all planes, and for each plane with several files the one kept and those left out.

    Planes are the grid of the wells with files, the sites of any well, and the (channel, z_index, timepoint) of
    any site: what no file of the grid holds is `NOT_RECORDED`. Of several files for one plane the first by name
    is kept. A z_index of 0 is a projection.
    """
    sites, site = np.unique(np.asarray(files.site, np.int64), return_inverse=True)
    packed = _pack(files)
    stacks, stack = np.unique(packed, return_inverse=True)
    shape = (len(files.wells), len(sites), len(stacks))
    cell = np.ravel_multi_index((np.asarray(files.well, np.int64), site, stack), shape)
    kept, repeated = _first_of_each(cell, files.uri)
    absent = np.ones(shape, np.bool_).ravel()
    absent[cell] = False
    cells = np.concatenate((cell[kept], np.flatnonzero(absent)))
    well_of, site_of, stack_of = np.unravel_index(cells, shape)
    z_index, timepoint, channel = _unpack(stacks[stack_of])
    uri = [files.uri[index] for index in kept.tolist()]
    state = [PlaneState.MISSING if name in files.gone else PlaneState.PRESENT for name in uri] if files.gone else []
    lacking = len(cells) - len(uri)
    table = PlaneTable.build(
        wells=tuple(files.wells),
        well=well_of.tolist(),
        site=sites[site_of].tolist(),
        channel=channel.tolist(),
        z_index=z_index.tolist(),
        timepoint=timepoint.tolist(),
        kind=np.where(z_index == 0, PlaneKind.PROJECTION, PlaneKind.ACQUIRED).tolist(),
        state=(state or [PlaneState.PRESENT] * len(uri)) + [PlaneState.NOT_RECORDED] * lacking,
        uri=uri + [""] * lacking,
        reader=READER,
    )
    return table, repeated


def _pack(files: Files) -> npt.NDArray[np.int64]:
    channel, timepoint, z_index = (
        np.asarray(column, np.int64) for column in (files.channel, files.timepoint, files.z_index)
    )
    return (((channel << _TIMEPOINT_BITS) | timepoint) << _Z_BITS) | z_index


def _unpack(packed: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Return z_index, timepoint and channel."""
    upper = packed >> _Z_BITS
    return packed & ((1 << _Z_BITS) - 1), upper & ((1 << _TIMEPOINT_BITS) - 1), upper >> _TIMEPOINT_BITS


def _first_of_each(
    cell: npt.NDArray[Any], uris: list[str]
) -> tuple[npt.NDArray[np.intp], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return the rows that are kept, one a plane, and the names of those planes that have several."""
    different, first, count = np.unique(cell, return_index=True, return_counts=True)
    several = different[count > 1]
    if not len(several):
        return first, ()
    rows = np.flatnonzero(np.isin(cell, several)).tolist()
    # The order in which a file system lists its files is any; that of their names is one.
    by_cell: dict[int, list[int]] = {}
    for row in sorted(rows, key=uris.__getitem__):
        by_cell.setdefault(int(cell[row]), []).append(row)
    first[count > 1] = [by_cell[int(value)][0] for value in several]
    repeated = (
        (uris[kept], tuple(uris[row] for row in others)) for kept, *others in (by_cell[int(v)] for v in several)
    )
    return first, tuple(sorted(repeated))
