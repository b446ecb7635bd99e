"""The storage backend `disk`: a folder of OME-TIFF files for each well, which appears when the well is whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from hcs_core import MOSAIC, FinishedWell, PlaneAddress, PlateError, StorageError, StoreLayout, canonical_well
from hcs_disk.faults import refuse_faulty, refuse_unlisted
from hcs_disk.index import centres, listed_wells, well_entry, write_index
from hcs_disk.ome import Position, ome_xml
from hcs_disk.places import PARTIAL, SITES, UNFINISHED, plane_address, replace_file, storing
from hcs_disk.plane_files import replace_text
from hcs_disk.well import DiskWell


@attrs.frozen(kw_only=True)
class DiskStore:
    """One store on disk; keeps nothing in memory, and travels to workers by pickle.

    A well is written in `.unfinished/<well>`. When it is whole, its folder becomes `<well>`, and the index lists it.
    `declare`, `finish_well`, `discard_well` are the driver's, one call at a time; `open_well` is the workers'.

    Attributes
    ----------
    root
        The store's folder.
    layout
        What is stored.
    """

    root: Path
    layout: StoreLayout

    def declare(
        self, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, tuple[int, int]] | None = None
    ) -> None:
        """Make the folders of wells, and note their sites and whether they get a mosaic; nothing is listed yet.

        A well that is there and unfinished starts afresh, without its old planes; a finished one is left alone. What
        a run that was killed has left of other wells is removed: nothing lists it, and nobody would.

        Raises
        ------
        StorageError
            A site is none, or the folders cannot be made.
        """
        finished = listed_wells(self.root)
        new = {
            name: sorted(set(sites))
            for well, sites in wells.items()
            if (name := canonical_well(well)) not in finished
        }
        for well, sites in new.items():
            if min(sites, default=1) < 1:
                raise StorageError(
                    f"site {min(sites)} of well {well} cannot be stored in {self.root}: sites count from 1."
                )
        with_mosaic = {canonical_well(well) for well in mosaics or ()}
        with storing(self.root):
            self._remove_strays(finished)
            for well, sites in new.items():
                images = [*([MOSAIC] if well in with_mosaic else []), *sites]
                folder = self.root / UNFINISHED / well
                folder.mkdir(parents=True)
                replace_file(folder / SITES, json.dumps(images).encode())

    def open_well(self, well: str, mosaic: tuple[int, int] | None = None) -> DiskWell:
        """Return a declared well, for its one writer; `mosaic` is the (y, x) that it was declared with.

        Raises
        ------
        StorageError
            The well was not declared.
        """
        name = canonical_well(well)
        folder, sites = self._declared(name)
        return DiskWell(folder, name, sites, self.layout, mosaic)

    def finish_well(self, finished: FinishedWell) -> None:
        """Write the positions of a well's fields into its files, and show and list the well, last and at once.

        Planes of sites that are not among `finished.sites` are removed: nothing lists them.

        Raises
        ------
        StorageError
            The well has no site, a site was not declared, its positions or windows are no numbers, or something
            cannot be written.
        """
        name = canonical_well(finished.well)
        finished = attrs.evolve(finished, well=name, sites=tuple(sorted(set(finished.sites))))
        refuse_unlisted(self.layout, finished)
        folder, declared = self._declared(name)
        if strange := sorted(_images(finished) - declared):
            named = "the mosaic" if strange[0] == MOSAIC else f"site {strange[0]}"
            raise StorageError(
                f"{named} of well {name} is not in {self.root}: declare and write it before its well is finished."
            )
        positions = centres(self.layout, finished)
        with storing(folder):
            self._complete(folder, finished, positions)
            if folder.parent.name == UNFINISHED:
                os.replace(folder, self.root / name)  # noqa: PTH105  Path.replace returns a value
            self._tidy()
        write_index(self.root, self.layout, listed_wells(self.root) | {name: well_entry(finished, positions)})

    def discard_well(self, well: str) -> None:
        """Remove what there is of a well; fine when there is nothing.

        A finished well is taken from the index first, so that a reader never finds a listed well missing.

        Raises
        ------
        StorageError
            Something cannot be removed.
        """
        name = canonical_well(well)
        listed = listed_wells(self.root)
        if listed.pop(name, None) is not None:
            write_index(self.root, self.layout, listed)
        with storing(self.root / name):
            for folder in (self.root / name, self.root / UNFINISHED / name):
                if folder.exists():
                    shutil.rmtree(folder)
            self._tidy()

    def finished_wells(self) -> tuple[str, ...]:
        """Return the wells that are listed, in their order on the plate.

        Raises
        ------
        StorageError
            The index cannot be read.
        """
        return tuple(listed_wells(self.root))

    def _declared(self, well: str) -> tuple[Path, frozenset[int]]:
        """Return the folder and the sites of a well that was declared, finished or not."""
        folder = self.root / UNFINISHED / well
        try:
            return folder, frozenset(json.loads((folder / SITES).read_bytes()))
        except FileNotFoundError:
            listed = listed_wells(self.root)
        except (OSError, ValueError) as error:
            raise StorageError(f"{folder / SITES} cannot be read ({error}): declare the well again.") from error
        if well not in listed:
            raise StorageError(f"well {well} is not in {self.root}: declare it before it is opened or finished.")
        mosaic = {MOSAIC} if "mosaic" in listed[well] else set()
        return self.root / well, frozenset(site["site"] for site in listed[well]["sites"]) | mosaic

    def _complete(self, folder: Path, finished: FinishedWell, positions: Mapping[int, Position]) -> None:
        """Write positions into the planes of a well, and remove those of other sites, and what was never finished."""
        for path in sorted(folder.iterdir()):
            address = plane_address(path.name)
            if address is None:
                if path.name == SITES or path.name.endswith(PARTIAL):
                    path.unlink()
            elif address.site not in _images(finished):
                path.unlink()
            elif address.site in positions and self.layout.image_metadata:
                self._place(path, finished, address, positions[address.site])

    def _place(self, path: Path, finished: FinishedWell, address: PlaneAddress, position: Position) -> None:
        image = self.layout.layout_of(address.site, finished.mosaic)
        if image is not None:
            replace_text(path, ome_xml(self.layout, image, finished.well, address, position))

    def _remove_strays(self, finished: Mapping[str, object]) -> None:
        """Remove unfinished wells, and folders of wells that the index does not list."""
        if (self.root / UNFINISHED).exists():
            shutil.rmtree(self.root / UNFINISHED)
        for folder in self.root.glob("*"):
            if folder.is_dir() and folder.name not in finished and _is_well(folder.name):
                shutil.rmtree(folder)

    def _tidy(self) -> None:
        """Remove the folder of unfinished wells when there are none."""
        unfinished = self.root / UNFINISHED
        if unfinished.is_dir() and not any(unfinished.iterdir()):
            unfinished.rmdir()


class DiskBackend:
    """Keeps images in OME-TIFF files, one for each plane."""

    def open(self, folder: Path, layout: StoreLayout) -> DiskStore:
        """Return the store `folder / layout.name`, in whatever state it is; nothing is made.

        Raises
        ------
        StorageError
            The layout contradicts itself, or asks for what OME-TIFF cannot hold.
        """
        refuse_faulty(layout)
        return DiskStore(root=Path(folder) / layout.name, layout=layout)


def _images(finished: FinishedWell) -> set[int]:
    """Return the sites of a well, and `MOSAIC` where it has one."""
    return {*finished.sites, *(() if finished.mosaic is None else (MOSAIC,))}


def _is_well(name: str) -> bool:
    try:
        return canonical_well(name) == name
    except PlateError:
        return False
