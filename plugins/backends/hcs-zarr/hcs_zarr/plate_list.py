"""The list of finished wells in a plate's metadata: what is in it is whole, and readers see it grow."""

from __future__ import annotations

from pathlib import Path

import attrs

from hcs_core import FinishedWell, StoreLayout, parse_well, well_name
from hcs_zarr.formats import FORMATS, StoreFormat
from hcs_zarr.metadata import Place, listed_places, plate_metadata
from hcs_zarr.places import well_path


@attrs.frozen(kw_only=True)
class PlateList:
    """The wells that a plate lists; the document is the only place where they are kept.

    Attributes
    ----------
    root
        The plate's folder.
    layout
        What is stored.
    """

    root: Path
    layout: StoreLayout

    def places(self) -> set[Place]:
        """Return the 0-based (row, column) of every listed well.

        Raises
        ------
        StorageError
            The plate's metadata cannot be read.
        """
        return listed_places(self._format.read_ome(self.root))

    def add(self, finished: FinishedWell) -> None:
        """List a well; one that is listed may have another number of images now.

        Raises
        ------
        StorageError
            The metadata cannot be read or written.
        """
        ome = self._format.read_ome(self.root)
        listed = listed_places(ome)
        place = parse_well(finished.well)
        if place in listed:
            # It may have had more images than it has now.
            self._write(listed, self._field_count(listed))
        else:
            before = ome.get("plate", {}).get("field_count", 0)
            self._write({*listed, place}, max(before, len(finished.sites)))

    def remove(self, well: str) -> None:
        """Take a well from the list; the plate's metadata go with the last one, for an empty list is not valid.

        Raises
        ------
        StorageError
            The metadata cannot be read, written or removed.
        """
        listed = self.places()
        remaining = listed - {parse_well(well)}
        if remaining == listed:
            return
        if remaining:
            self._write(remaining, self._field_count(remaining))
        else:
            self._format.remove_group(self.root)

    @property
    def _format(self) -> StoreFormat:
        return FORMATS[self.layout.ome_zarr_version]

    def _write(self, places: set[Place], field_count: int) -> None:
        self._format.write_group(self.root, plate_metadata(self.layout, places, field_count))

    def _field_count(self, places: set[Place]) -> int:
        """Return the largest number of images in these wells."""
        groups = (self._format.read_ome(self.root / well_path(well_name(*place))) for place in places)
        return max(len(group.get("well", {}).get("images", ())) for group in groups)
