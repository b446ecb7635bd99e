"""The storage backend `zarr`: an OME-Zarr plate that readers see growing well by well, and never half written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from hcs_core import (
    MOSAIC,
    FinishedWell,
    StorageError,
    StoreLayout,
    canonical_well,
    parse_well,
    refuse_unwritable,
    well_name,
)
from hcs_zarr.documents import array_document
from hcs_zarr.faults import refuse_faulty
from hcs_zarr.formats import FORMATS, StoreFormat, format_of
from hcs_zarr.levels import level_arrays
from hcs_zarr.metadata import image_metadata, well_metadata
from hcs_zarr.places import MOSAIC_NAME, image_name, storing, well_path
from hcs_zarr.plate_list import PlateList
from hcs_zarr.well import ZarrWell


@attrs.frozen(kw_only=True)
class ZarrStore:
    """One OME-Zarr plate on disk, which is the truth: nothing depends on what is in memory; travels by pickle.

    `declare`, `finish_well`, `discard_well` are the driver's, one call at a time; `open_well` is the workers'.
    A well is finished once the plate's metadata lists it. Without plate metadata (`plate_metadata=False`), it is
    finished once its folder is a group.

    Attributes
    ----------
    root
        The plate's folder.
    layout
        What is stored.
    """

    root: Path
    layout: StoreLayout
    _list: PlateList = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(lambda self: PlateList(self.root, self.layout), True)
    )

    def declare(
        self, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, tuple[int, int]] | None = None
    ) -> None:
        """Make the arrays of wells, of their sites and mosaics of (y, x); nothing of them is listed yet.

        A well that is there and unfinished starts afresh, without its old chunks; a finished one is left alone. What
        a run that was killed has left of other wells is removed: nothing lists it, and nobody would.

        Raises
        ------
        StorageError
            A well lies outside the plate, or the arrays cannot be made.
        """
        finished = set(self.finished_wells())
        new = {name: sites for well, sites in wells.items() if (name := canonical_well(well)) not in finished}
        frames = {canonical_well(well): frame for well, frame in (mosaics or {}).items()}
        for well, sites in new.items():
            self._refuse_outside(well, sites)
        documents = self._documents({None, *frames.values()})
        with storing(self.root):
            self._remove_strays({*finished, *new})
            for well, sites in new.items():
                folder = self._folder(well)
                if folder.exists():
                    shutil.rmtree(folder)
                folder.mkdir(parents=True)
                for site in dict.fromkeys(sites):
                    _make_arrays(f"{folder}/{image_name(site)}", self._format.array, documents[None])
                if well in frames:
                    _make_arrays(f"{folder}/{MOSAIC_NAME}", self._format.array, documents[frames[well]])

    def _documents(self, frames: set[tuple[int, int] | None]) -> dict[tuple[int, int] | None, tuple[bytes, ...]]:
        """Return the documents of the levels of a site's image (`None`), and of mosaics of some (y, x)."""
        found = {}
        for frame in frames:
            image = self.layout.image if frame is None else self.layout.layout_of(MOSAIC, frame)
            arrays = () if image is None else level_arrays(self.layout, image)
            found[frame] = tuple(array_document(array) for array in arrays)
        return found

    def open_well(self, well: str, mosaic: tuple[int, int] | None = None) -> ZarrWell:
        """Return a declared well, for its one writer; `mosaic` is the (y, x) that it was declared with.

        Raises
        ------
        StorageError
            The well was not declared.
        """
        name = canonical_well(well)
        folder = self._folder(name)
        if not folder.is_dir():
            raise StorageError(f"well {name} is not in {self.root}: declare it before it is opened.")
        return ZarrWell(folder, name, self.layout, mosaic)

    def finish_well(self, finished: FinishedWell) -> None:
        """Write the metadata of a well whose images are whole, and list it in the plate, last and at once.

        Images that were declared and are not among `finished.sites` are removed: nothing lists them.

        Raises
        ------
        StorageError
            The well has no image, an image was not declared, its positions or windows are no metadata, or the
            metadata cannot be written.
        """
        self.finish_wells((finished,))

    def finish_wells(self, finished: Sequence[FinishedWell]) -> None:
        """Do what `finish_well` does for several wells, and list them in the plate at once.

        Raises
        ------
        StorageError
            As there, of any of them; none is listed then.
        """
        wells = [attrs.evolve(one, well=canonical_well(one.well), sites=tuple(sorted(one.sites))) for one in finished]
        for well in wells:
            self._refuse_incomplete(well)
            refuse_unwritable(self.layout, well)
        for well in wells:
            self._describe(well)
        if self.layout.plate_metadata and wells:
            self._list.add(wells)

    def _describe(self, finished: FinishedWell) -> None:
        """Write the metadata of a well's images, and its own."""
        folder = self._folder(finished.well)
        images = _images(finished)
        for site in images:
            image = self.layout.layout_of(site, finished.mosaic)
            if image is not None:
                ome = image_metadata(self.layout, image, finished, site)
                self._format.write_group(folder / image_name(site), ome)
        if self.layout.plate_metadata:
            self._format.write_group(folder, well_metadata(self.layout, images))
            self._remove_other_images(finished)
            self._format.ensure_group(folder.parent)
        else:
            self._remove_other_images(finished)
            for group in (folder.parent, self.root, folder):
                self._format.ensure_group(group)

    def discard_well(self, well: str) -> None:
        """Remove what there is of a well, and its row if it was the last; fine when there is nothing.

        A finished well is taken from the plate's list first, so that a reader never finds a listed well missing.

        Raises
        ------
        StorageError
            Something cannot be removed.
        """
        name = canonical_well(well)
        folder = self._folder(name)
        if self.layout.plate_metadata:
            self._list.remove(name)
        # The documents first: without plate metadata they are what makes the well a finished one.
        self._format.remove_group(folder)
        with storing(folder):
            if folder.exists():
                shutil.rmtree(folder)
            _remove_empty_group(folder.parent)

    def finished_wells(self) -> tuple[str, ...]:
        """Return the wells that are listed, in their order on the plate.

        Raises
        ------
        StorageError
            The plate's metadata cannot be read, or the plate is of another version of OME-Zarr.
        """
        there = format_of(self.root)
        if there is not None and there != self._format:
            raise StorageError(
                f"{self.root} is OME-Zarr {there.version}, and {self._format.version} was asked for: "
                "ask for the version that is there, or write to another output folder."
            )
        if self.layout.plate_metadata:
            places = self._list.places()
        else:
            groups = self.root.glob(f"*/*/{self._format.group}")
            places = tuple(sorted(parse_well(f"{group.parts[-3]}{group.parts[-2]}") for group in groups))
        return tuple(well_name(*place) for place in places)

    @property
    def _format(self) -> StoreFormat:
        return FORMATS[self.layout.ome_zarr_version]

    def _folder(self, well: str) -> Path:
        return self.root / well_path(well)

    def _refuse_outside(self, well: str, sites: Sequence[int]) -> None:
        if min(sites, default=1) < 1:
            raise StorageError(
                f"site {min(sites)} of well {well} cannot be stored in {self.root}: sites count from 1."
            )
        row, column = parse_well(well)
        rows, columns = self.layout.plate_format
        if row >= rows or column >= columns:
            raise StorageError(
                f"well {well} lies outside the plate of {rows} x {columns} wells that {self.root} was laid out for."
            )

    def _refuse_incomplete(self, finished: FinishedWell) -> None:
        if not _images(finished):
            raise StorageError(f"well {finished.well} in {self.root} has no site to list: discard it.")
        for site in _images(finished):
            folder = self._folder(finished.well) / image_name(site)
            is_there = (folder / "0" / self._format.array).is_file()
            if not is_there or self.layout.layout_of(site, finished.mosaic) is None:
                named = "the mosaic" if site == MOSAIC else f"site {site}"
                raise StorageError(
                    f"{named} of well {finished.well} is not in {self.root}: declare and write it before its "
                    "well is finished."
                )

    def _remove_strays(self, known: set[str]) -> None:
        """Remove the folders of wells that are not among these, and rows that are left empty."""
        kept = {self._folder(well) for well in known}
        for folder in self.root.glob("*/*"):
            if folder.is_dir() and folder not in kept:
                shutil.rmtree(folder)
                _remove_empty_group(folder.parent)

    def _remove_other_images(self, finished: FinishedWell) -> None:
        listed = {image_name(site) for site in _images(finished)}
        folder = self._folder(finished.well)
        with storing(folder):
            for path in folder.iterdir():
                is_image = path.name.isdigit() or path.name == MOSAIC_NAME
                if path.is_dir() and is_image and path.name not in listed:
                    shutil.rmtree(path)


class ZarrBackend:
    """Keeps images in OME-Zarr plates: version 0.5 on zarr format 3, or 0.4 on format 2."""

    def open(self, folder: Path, layout: StoreLayout) -> ZarrStore:
        """Return the store `folder / layout.name`, in whatever state it is; nothing is made.

        Raises
        ------
        StorageError
            The layout contradicts itself, or asks for what zarr cannot hold.
        """
        refuse_faulty(layout)
        return ZarrStore(root=Path(folder) / layout.name, layout=layout)


def _images(finished: FinishedWell) -> tuple[int, ...]:
    """Return the sites of a well, and `MOSAIC` after them where it has one."""
    return (*finished.sites, *(() if finished.mosaic is None else (MOSAIC,)))


def _make_arrays(image: str, name: str, documents: tuple[bytes, ...]) -> None:
    os.mkdir(image)  # noqa: PTH102  a plate has tens of thousands of these: strings are faster than Path objects
    for level, document in enumerate(documents):
        folder = f"{image}/{level}"
        os.mkdir(folder)  # noqa: PTH102  as above
        with open(f"{folder}/{name}", "wb", buffering=0) as file:  # noqa: PTH123  as above
            file.write(document)


def _remove_empty_group(row: Path) -> None:
    if row.is_dir() and not any(path.is_dir() for path in row.iterdir()):
        shutil.rmtree(row)
