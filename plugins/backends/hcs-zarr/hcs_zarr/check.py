"""Checks of a written plate for what no validator of metadata sees.

Validators read metadata; whether these agree with the folders and the pixels, nobody asks. See `check_plate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import zarr

from hcs_core import StorageError
from hcs_zarr.documents import AXES
from hcs_zarr.formats import OME_ZARR_0_5, Json, StoreFormat, format_of
from hcs_zarr.stored_chunks import StoredChunks
from hcs_zarr.zarr_faults import UNREADABLE

MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError)
"""What reading metadata raises that are not built as they must be."""


def check_plate(path: Path | str, *, allow_absent_chunks: bool = False) -> tuple[str, ...]:
    """Return what is wrong with an OME-Zarr plate, 0.4 or 0.5, a sentence for each defect; nothing if all is well.

    Checked are the number of fields, rows and columns of wells against their paths, folders of wells and images
    that no metadata lists, the number of channels in `omero`, the dtype and the halving of all levels, and that
    every chunk can be decoded. Whether metadata follow the schema is for the validators; see the README.

    Parameters
    ----------
    path
        The plate's folder.
    allow_absent_chunks
        Whether chunks that are not stored, which read as zeros, are in order: so they are where planes were absent.
    """
    root = Path(path)
    checker = _Checker(root=root, format=format_of(root) or OME_ZARR_0_5, allow_absent_chunks=allow_absent_chunks)
    return tuple(checker.defects())


@attrs.frozen(kw_only=True)
class _Checker:
    root: Path
    format: StoreFormat
    allow_absent_chunks: bool

    def defects(self) -> Iterator[str]:
        try:
            plate = self.format.read_ome(self.root).get("plate")
        except StorageError as error:
            yield str(error)
            return
        if plate is None:
            path = self.root / self.format.attributes
            yield f"{path} has no plate's metadata: no well was finished, or this is no plate."
            return
        try:
            wells = [listed["path"] for listed in plate["wells"]]
            yield from self._places(plate)
            yield from self._stray_wells(set(wells))
            images = {well: self._images(well) for well in wells}
            yield from self._field_counts(plate, images)
        except (*MALFORMED, StorageError) as error:
            yield f"{self.root} has metadata of plate or wells that make no sense ({type(error).__name__}: {error})."
            return
        for well, listed in images.items():
            yield from self._stray_images(well, listed)
            for image in listed:
                yield from self._image(f"{well}/{image}")

    def _images(self, well: str) -> list[str]:
        return [image["path"] for image in self.format.read_ome(self.root / well)["well"]["images"]]

    def _places(self, plate: Json) -> Iterator[str]:
        for well in plate["wells"]:
            row, column = well["path"].split("/")
            stated = plate["rows"][well["rowIndex"]]["name"], plate["columns"][well["columnIndex"]]["name"]
            if stated != (row, column):
                yield f"well {well['path']} of {self.root} is listed in the row and column of {'/'.join(stated)}."

    def _field_counts(self, plate: Json, images: dict[str, list[str]]) -> Iterator[str]:
        most = max((len(listed) for listed in images.values()), default=0)
        stated = plate.get("field_count")
        if stated is not None and stated != most:
            yield f"{self.root} states field_count {stated}, and its wells have {most} images at most."
        for acquisition in plate.get("acquisitions", ()):
            planned = acquisition.get("maximumfieldcount")
            if len(plate["acquisitions"]) == 1 and planned is not None and planned < most:
                yield f"{self.root} states maximumfieldcount {planned}, and a well has {most} images."

    def _stray_wells(self, listed: set[str]) -> Iterator[str]:
        for folder in sorted(self.root.glob("*/*/")):
            well = folder.relative_to(self.root).as_posix()
            if well not in listed:
                yield f"{folder} is a well's folder that the plate does not list: a well that did not finish."

    def _stray_images(self, well: str, listed: list[str]) -> Iterator[str]:
        for folder in sorted((self.root / well).glob("*/")):
            if folder.name not in listed:
                yield f"{folder} is an image's folder that well {well} does not list."

    def _image(self, image: str) -> Iterator[str]:
        folder = self.root / image
        try:
            ome = self.format.read_ome(folder)
            multiscale = ome["multiscales"][0]
            paths = [dataset["path"] for dataset in multiscale["datasets"]]
            axes = "".join(axis["name"] for axis in multiscale["axes"])
            channels = len(ome["omero"]["channels"]) if "omero" in ome else None
        except (*MALFORMED, StorageError) as error:
            yield f"{folder} has metadata of an image that make no sense ({type(error).__name__}: {error})."
            return
        levels = {}
        for path in paths:
            try:
                levels[path] = zarr.open_array(folder / path, mode="r")
            except UNREADABLE as error:
                yield f"{folder / path} cannot be opened as an array ({type(error).__name__}: {error})."
        yield from _levels(folder, axes, channels, list(levels.values()))
        for path, array in levels.items():
            yield from self._chunks(folder / path, array)

    def _chunks(self, folder: Path, array: zarr.Array[Any]) -> Iterator[str]:
        stored = StoredChunks(folder, array)
        absent = []
        for place in stored.every(*map(range, array.shape)):
            where: Path | str = f"{folder}, chunk {place},"
            try:
                chunk = stored.find(place)
                if chunk is None:
                    absent.append("/".join(map(str, place)))
                    continue
                where = chunk.path
                if stored.is_cut_short(chunk):
                    yield f"{where} is not as long as its header says: it was cut short."
                else:
                    array[tuple(slice(i * size, (i + 1) * size) for i, size in zip(place, array.chunks, strict=True))]
            except UNREADABLE as error:
                yield f"{where} cannot be decoded ({type(error).__name__}: {error})."
        if absent and not self.allow_absent_chunks:
            yield f"{folder} has {len(absent)} absent chunks, which read as zeros; the first is at {absent[0]}."


def _levels(folder: Path, axes: str, channels: int | None, arrays: list[zarr.Array[Any]]) -> Iterator[str]:
    if not arrays:
        return
    full = arrays[0]
    if channels is not None and "c" in axes and channels != full.shape[axes.index("c")]:
        yield f"{folder} names {channels} channels in omero, and its array has {full.shape[axes.index('c')]}."
    dtypes = list(dict.fromkeys(str(array.dtype) for array in arrays))
    if len(dtypes) > 1:
        yield f"{folder} has levels of several dtypes: {', '.join(dtypes)}."
    if axes != "".join(AXES):
        yield f"{folder} has the axes {axes}: {''.join(AXES)} is what is written here."
        return
    for level, (before, after) in enumerate(pairwise(arrays), 1):
        y, x = before.shape[-2:]
        expected = (*full.shape[:3], -(-y // 2), -(-x // 2))
        if after.shape != expected:
            yield f"level {level} of {folder} is {after.shape}; half of the level before is {expected}."
