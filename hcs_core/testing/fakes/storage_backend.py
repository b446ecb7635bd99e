"""The least storage backend that keeps its promises: a `.npy` file for each plane, and a list of finished wells."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import StorageError
from hcs_core.plate.wells import canonical_well, parse_well
from hcs_core.storage.layout import MOSAIC, FinishedWell, PlaneAddress, StoreLayout, WellSummary

_LIST = "finished.json"


class FakeWell:
    """One well of a `FakeStore`."""

    def __init__(self, folder: Path, layout: StoreLayout, mosaic: tuple[int, int] | None = None) -> None:
        self._folder = folder
        self._layout = layout
        self._mosaic = mosaic
        self._bytes_written = 0

    def write(self, address: PlaneAddress, plane: npt.NDArray[Any]) -> None:
        """Write a plane.

        Raises
        ------
        StorageError
            It was not declared, or has another shape or dtype.
        """
        path = self._path(address)
        image = self._layout.layout_of(address.site, self._mosaic)
        place = (address.t, address.c, address.z)
        if (
            image is None
            or not path.parent.is_dir()
            or any(not 0 <= index < size for index, size in zip(place, image.shape[:3], strict=True))
        ):
            raise StorageError(f"{path} cannot be written: it was not declared.")
        if plane.shape != image.shape[3:] or plane.dtype != np.dtype(image.dtype):
            raise StorageError(
                f"{path} cannot be written: it is {plane.dtype} {plane.shape}, declared was {image.dtype} "
                f"{image.shape[3:]}."
            )
        np.save(path, plane)
        self._bytes_written += plane.nbytes

    def read(self, address: PlaneAddress) -> npt.NDArray[Any]:
        """Return a plane.

        Raises
        ------
        StorageError
            It was not written.
        """
        path = self._path(address)
        if not path.exists():
            raise StorageError(f"{path} was not written.")
        plane: npt.NDArray[Any] = np.load(path)
        return plane

    def drop(self, address: PlaneAddress) -> None:
        """Remove a plane, if it is there."""
        self._path(address).unlink(missing_ok=True)

    def close(self) -> WellSummary:
        """Return how much was written."""
        return WellSummary(bytes_written=self._bytes_written)

    def _path(self, address: PlaneAddress) -> Path:
        return self._folder / str(address.site) / f"{address.t}_{address.c}_{address.z}.npy"


@attrs.frozen(kw_only=True)
class FakeStore:
    """A folder of wells, each a folder of sites, in which `0` is the mosaic."""

    root: Path
    layout: StoreLayout

    def declare(
        self, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, tuple[int, int]] | None = None
    ) -> None:
        """Make the folders of wells, sites and mosaics afresh, but of finished wells; remove what else there is."""
        finished = self._listed()
        for folder in self.root.glob("*/"):
            if folder.name not in finished:
                shutil.rmtree(folder)
        stitched = {canonical_well(well) for well in mosaics or ()}
        for well, sites in wells.items():
            folder = self._folder(well)
            if folder.name not in finished:
                for site in (*sites, *([MOSAIC] if folder.name in stitched else [])):
                    (folder / str(site)).mkdir(parents=True)

    def open_well(self, well: str, mosaic: tuple[int, int] | None = None) -> FakeWell:
        """Return a declared well.

        Raises
        ------
        StorageError
            It was not declared.
        """
        return FakeWell(self._declared(well), self.layout, mosaic)

    def finish_well(self, finished: FinishedWell) -> None:
        """List a well.

        Raises
        ------
        StorageError
            The well, or one of its sites, was not declared.
        """
        folder = self._declared(finished.well)
        images = (*finished.sites, *([] if finished.mosaic is None else [MOSAIC]))
        strange = [site for site in images if not (folder / str(site)).is_dir()]
        if strange:
            raise StorageError(f"{folder} has no site {strange[0]}: declare it first.")
        self._list({*self._listed(), folder.name})

    def discard_well(self, well: str) -> None:
        """Take a well from the list, and remove its planes; fine when there is nothing."""
        folder = self._folder(well)
        if folder.name in self._listed():
            self._list({*self._listed()} - {folder.name})
        shutil.rmtree(folder, ignore_errors=True)

    def finished_wells(self) -> tuple[str, ...]:
        """Return the wells that are listed, in their order on the plate."""
        return self._listed()

    def _listed(self) -> tuple[str, ...]:
        path = self.root / _LIST
        return tuple(json.loads(path.read_text(encoding="ascii"))) if path.exists() else ()

    def _folder(self, well: str) -> Path:
        return self.root / canonical_well(well)

    def _declared(self, well: str) -> Path:
        folder = self._folder(well)
        if not folder.is_dir():
            raise StorageError(f"{folder} is not there: declare the well first.")
        return folder

    def _list(self, wells: set[str]) -> None:
        # Beside it and then in its place: a reader finds the old list or the new one, never half of one.
        draft = self.root / f"{_LIST}.new"
        draft.write_text(json.dumps(sorted(wells, key=parse_well)), encoding="ascii")
        draft.replace(self.root / _LIST)


class FakeBackend:
    """The storage backend `fake`: durable, slow, and open to look into."""

    def open(self, folder: Path, layout: StoreLayout) -> FakeStore:
        """Return the store `folder / layout.name`; nothing is made yet."""
        return FakeStore(root=folder / layout.name, layout=layout)
