"""Planes: what there should be of a plate, each with its place, file and state, as a table in columns."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import PlateError, did_you_mean
from hcs_core.plate.plane_order import alike_wells, check_columns, plane_order
from hcs_core.plate.wells import parse_well, summary

IntColumn = npt.NDArray[np.int32]


CodeColumn = npt.NDArray[np.uint8]


class PlaneKind(IntEnum):
    """Whether a plane was acquired, or is a projection that the microscope made."""

    ACQUIRED = 0
    PROJECTION = 1


class PlaneState(IntEnum):
    """What is known of a plane's file."""

    PRESENT = 0
    MISSING = 1
    NOT_RECORDED = 2
    NOT_ACQUIRED = 3
    UNREADABLE = 4
    DUPLICATE = 5

    @property
    def word(self) -> str:
        """As in JSON and tables: `not_recorded`."""
        return self.name.lower()


LACKING = (PlaneState.MISSING, PlaneState.NOT_RECORDED, PlaneState.UNREADABLE)
"""The states of planes that should be there and give no pixels; copies, and what nobody acquired, lack nothing."""


NO_PART = (PlaneState.NOT_ACQUIRED, PlaneState.DUPLICATE)
"""The states of rows that are no part of the layout: what was never planned, and copies of other planes."""


@attrs.frozen(kw_only=True)
class Plane:
    """One 2-D image: the five components (1-based; a projection has `z_index` 0), its location and its state.

    `uri` is relative to the plate's folder, with `/`; `selector` is the page or series within the file.
    """

    well: str
    site: int
    channel: int
    z_index: int
    timepoint: int
    kind: PlaneKind
    state: PlaneState
    uri: str
    selector: int
    reader: str


@attrs.frozen(kw_only=True, eq=False)
class PlaneTable:
    """Planes in columns; all have one length.

    `well` and `reader` are positions in `wells` and `readers`; `uri` is empty where there is no file.
    """

    wells: tuple[str, ...]
    readers: tuple[str, ...]
    well: IntColumn
    site: IntColumn
    channel: IntColumn
    z_index: IntColumn
    timepoint: IntColumn
    kind: CodeColumn
    state: CodeColumn
    reader: CodeColumn
    selector: IntColumn
    uri: tuple[str, ...]

    @classmethod
    def build(
        cls,
        *,
        wells: Sequence[str],
        well: Sequence[int],
        site: Sequence[int],
        channel: Sequence[int],
        z_index: Sequence[int],
        timepoint: Sequence[int],
        uri: Sequence[str],
        reader: str,
        kind: Sequence[int] | None = None,
        state: Sequence[int] | None = None,
        selector: Sequence[int] | None = None,
    ) -> PlaneTable:
        """Make a table from sequences; planes are `ACQUIRED`, `PRESENT` and selector 0 where not said.

        `well` holds positions in `wells`, which may be in any order; planes are sorted by well (in the order
        on the plate), site, timepoint, channel and z_index; several files of one plane by kind, state, selector
        and uri.

        Raises
        ------
        PlateError
            The columns differ in length, a well is listed twice, or a position in `wells` is none.
        """
        order_of_wells = sorted(range(len(wells)), key=lambda index: parse_well(wells[index]))
        rank = np.empty(len(wells), np.int32)
        rank[order_of_wells] = np.arange(len(wells), dtype=np.int32)
        count = len(uri)
        zeros = np.zeros(count, np.uint8)
        columns: dict[str, Any] = {
            "well": np.asarray(well, np.int32),
            "site": np.asarray(site, np.int32),
            "channel": np.asarray(channel, np.int32),
            "z_index": np.asarray(z_index, np.int32),
            "timepoint": np.asarray(timepoint, np.int32),
            "kind": zeros if kind is None else np.asarray(kind, np.uint8),
            "state": zeros if state is None else np.asarray(state, np.uint8),
            "reader": zeros,
            "selector": zeros.astype(np.int32) if selector is None else np.asarray(selector, np.int32),
        }
        check_columns(columns, count, wells)
        columns["well"] = rank[columns["well"]]
        order = plane_order(columns, uri)
        return cls(
            wells=tuple(wells[index] for index in order_of_wells),
            readers=(reader,),
            uri=tuple(uri[index] for index in order.tolist()),
            **{name: column[order] for name, column in columns.items()},
        )

    def __len__(self) -> int:
        """How many planes there are."""
        return len(self.uri)

    def __iter__(self) -> Iterator[Plane]:
        """Yield every plane."""
        return (self.plane(index) for index in range(len(self)))

    @functools.cached_property
    def wells_with_planes(self) -> tuple[str, ...]:
        """The wells of which there are rows, in their order on the plate."""
        return tuple(self.wells[place] for place in np.flatnonzero(np.diff(self._ends)).tolist())

    def plane(self, index: int) -> Plane:
        """Return one row."""
        return Plane(
            well=self.wells[self.well[index]],
            site=int(self.site[index]),
            channel=int(self.channel[index]),
            z_index=int(self.z_index[index]),
            timepoint=int(self.timepoint[index]),
            kind=PlaneKind(int(self.kind[index])),
            state=PlaneState(int(self.state[index])),
            uri=self.uri[index],
            selector=int(self.selector[index]),
            reader=self.readers[self.reader[index]],
        )

    def select(self, mask: npt.NDArray[np.bool_]) -> PlaneTable:
        """Return the rows where the mask is true; `wells` stays as it is."""
        if mask.all():
            return self
        return self._rows(np.flatnonzero(mask))

    def _rows(self, chosen: npt.NDArray[np.int64]) -> PlaneTable:
        return attrs.evolve(
            self,
            uri=tuple(self.uri[index] for index in chosen.tolist()),
            **{name: getattr(self, name)[chosen] for name in _NUMERIC},
        )

    def of_well(self, well: str) -> PlaneTable:
        """Return the planes of one well, and nothing of the others: what a worker gets with its task.

        Raises
        ------
        PlateError
            There is no such well.
        """
        place = self._places.get(well)
        if place is None:
            raise PlateError(
                f"there is no well {well!r}.{did_you_mean(well, self.wells)} There are {summary(self.wells)}."
            )
        return self._one_well(well, slice(*self._ends[place : place + 2].tolist()))

    def by_well(self) -> Iterator[tuple[str, PlaneTable]]:
        """Yield each well with its planes, as `of_well` gives them, in one go over all of them."""
        ends = self._ends.tolist()
        for well, first, last in zip(self.wells, ends[:-1], ends[1:], strict=True):
            yield well, self._one_well(well, slice(first, last))

    def _one_well(self, well: str, part: slice) -> PlaneTable:
        columns = {name: getattr(self, name)[part] for name in _NUMERIC}
        return attrs.evolve(self, wells=(well,), uri=self.uri[part], **(columns | {"well": columns["well"] * 0}))

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {well: place for place, well in enumerate(self.wells)}

    @functools.cached_property
    def _ends(self) -> npt.NDArray[np.int64]:
        """Where the planes of each well begin, and at last where those of the last one end."""
        # Of the column's own dtype: with another one, numpy would convert the whole column first.
        return np.searchsorted(self.well, np.arange(len(self.wells) + 1, dtype=self.well.dtype))

    def of_wells(self, wells: Collection[str]) -> PlaneTable:
        """Return the planes of these wells; `wells` stays as it is."""
        parts = [
            range(*self._ends[place : place + 2].tolist()) for place in sorted(map(self._places.__getitem__, wells))
        ]
        if sum(map(len, parts)) == len(self):
            return self
        chosen = np.concatenate([np.arange(part.start, part.stop) for part in parts] or [np.empty(0, np.int64)])
        return self._rows(chosen)

    @functools.cached_property
    def alike(self) -> Mapping[str, int]:
        """The wells, each with a number that it shares with all that have the same planes in the same states.

        Locations do not count. What follows from planes alone needs to be found out for one of each only.
        """
        return alike_wells(self.wells, self._ends, [getattr(self, name) for name in _WHAT])

    @functools.cached_property
    def one_of_each(self) -> PlaneTable:
        """The planes of the first of the wells that are alike: every component and state that there is."""
        first: dict[int, str] = {}
        for well, number in self.alike.items():
            first.setdefault(number, well)
        return self.of_wells(first.values())

    def identify(self) -> None:
        """Find out now what is kept of the table as a whole: its digest, and which wells are alike."""
        self.digest()
        self.alike  # noqa: B018 - it is found out when it is asked for

    def digest(self) -> str:
        """Return a digest of the content: equal tables have equal digests, in any process and folder."""
        return self._digest

    @functools.cached_property
    def _digest(self) -> str:
        text = "\0".join((*self.wells, "", *self.readers, "", *self.uri))
        # A file's name need not be UTF-8: its other bytes are surrogates here.
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
        for name in _NUMERIC:
            digest.update(np.ascontiguousarray(getattr(self, name)).astype("<i4").tobytes())
        return digest.hexdigest()


_NUMERIC = ("well", "site", "channel", "z_index", "timepoint", "kind", "state", "reader", "selector")


_WHAT = ("site", "channel", "z_index", "timepoint", "kind", "state")
