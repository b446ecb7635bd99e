"""The list of finished wells in a plate's metadata: what is in it is whole, and readers see it grow."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from heapq import merge
from pathlib import Path

import attrs

from hcs_core import FinishedWell, StoreLayout, parse_well, well_name
from hcs_zarr.formats import FORMATS, StoreFormat
from hcs_zarr.metadata import Place, listed_places, listed_well, plate_metadata
from hcs_zarr.places import well_path

Written = tuple[int, int, int]
"""What tells one state of a document from another: inode, time and size."""


@attrs.frozen(kw_only=True)
class _Listed:
    """What the document was when it was last read or written here: its wells, in order, and `field_count`."""

    written: Written | None
    places: tuple[Place, ...]
    field_count: int


class PlateList:
    """The wells that a plate lists.

    The document is the truth. What was last read or written here is kept for as long as the document is still the
    same file, so that listing a well reads nothing and puts together only text: read, parsed and made anew each time,
    the lists of a plate of 1536 wells took 4 s, and 8 times as much for 4 times as many wells.

    Parameters
    ----------
    root
        The plate's folder.
    layout
        What is stored.
    """

    def __init__(self, root: Path, layout: StoreLayout) -> None:
        self._root = root
        self._layout = layout
        self._last = _Listed(written=None, places=(), field_count=0)

    def places(self) -> tuple[Place, ...]:
        """Return the 0-based (row, column) of every listed well, in order.

        Raises
        ------
        StorageError
            The plate's metadata cannot be read.
        """
        return self._now().places

    def add(self, finished: Sequence[FinishedWell]) -> None:
        """List wells; one that is listed may have another number of images now.

        Raises
        ------
        StorageError
            The metadata cannot be read or written.
        """
        now = self._now()
        new = {parse_well(well.well): len(well.sites) + (well.mosaic is not None) for well in finished}
        if new.keys() & set(now.places):
            # One of them may have had more images than it has now.
            places = tuple(sorted({*now.places, *new}))
            self._write(places, self._field_count(places))
        else:
            self._write(tuple(merge(now.places, sorted(new))), max(now.field_count, *new.values()))

    def remove(self, well: str) -> None:
        """Take a well from the list; the plate's metadata go with the last one, for an empty list is not valid.

        Raises
        ------
        StorageError
            The metadata cannot be read, written or removed.
        """
        places = self.places()
        remaining = tuple(place for place in places if place != parse_well(well))
        if remaining == places:
            return
        if remaining:
            self._write(remaining, self._field_count(remaining))
        else:
            self._format.remove_group(self._root)

    @property
    def _format(self) -> StoreFormat:
        return FORMATS[self._layout.ome_zarr_version]

    def _now(self) -> _Listed:
        written = self._written()
        if written is None or written != self._last.written:
            ome = self._format.read_ome(self._root)
            self._last = _Listed(
                written=written,
                places=tuple(sorted(listed_places(ome))),
                field_count=ome.get("plate", {}).get("field_count", 0),
            )
        return self._last

    def _written(self) -> Written | None:
        try:
            state = (self._root / self._format.attributes).stat()
        except OSError:
            # Whatever is wrong with it, reading it will say.
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size

    def _write(self, places: tuple[Place, ...], field_count: int) -> None:
        text = self._format.text(plate_metadata(self._layout, (), field_count))
        # A name cannot hold this text: within a string, JSON puts a backslash before each quotation mark.
        text = text.replace('"wells": []', f'"wells": [{", ".join(map(_listed_text, places))}]')
        self._format.write_text(self._root, text)
        self._last = _Listed(written=self._written(), places=places, field_count=field_count)

    def _field_count(self, places: tuple[Place, ...]) -> int:
        """Return the largest number of images in these wells."""
        groups = (self._format.read_ome(self._root / well_path(well_name(*place))) for place in places)
        return max(len(group.get("well", {}).get("images", ())) for group in groups)


@functools.lru_cache(maxsize=2048)
def _listed_text(place: Place) -> str:
    return json.dumps(listed_well(place))
