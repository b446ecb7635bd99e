"""Planes of zarr arrays, through zarr: what was written, or an error.

zarr gives the fill value for every chunk that is not there. A reader of measurements must not: it cannot
tell a plane that nobody wrote from a black one. See `ZarrReader` for the rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import zarr

from hcs_core import Header, ReadError, Region, StorageError
from hcs_zarr.formats import FORMATS, format_of
from hcs_zarr.stored_chunks import ChunkPlace, StoredChunks
from hcs_zarr.zarr_faults import UNREADABLE

_PLANE_AXES = 2
_IMAGE_DEPTH = 3
"""How far above an array its image may be: some writers put arrays in a group for each level."""


@attrs.frozen(kw_only=True)
class _OpenArray:
    """An array, and the time and size of the document that it was opened from."""

    folder: Path
    written: tuple[int, int]
    array: zarr.Array[Any]
    stored: StoredChunks


class ZarrReader:
    """Reads planes of zarr arrays of format 2 or 3, with any chunks, shards and codecs that zarr reads.

    The location is an array's folder; its last two axes are y and x, and `selector` counts the planes along all
    others from 0, the last axis fastest (C order).

    Notes
    -----
    A plane of which no chunk is stored was not written: that is an error. Where some are stored and others are not,
    a writer has left out those that hold nothing but the fill value, as zarr does by default, and they are read as
    that. With shards, a chunk is stored if its shard's index has it.
    """

    def __init__(self) -> None:
        self._last: _OpenArray | None = None

    def header(self, location: str, selector: int) -> Header:
        """Return (y, x), dtype, and the OME metadata of the image as JSON; no pixels are read.

        The text is what `multiscales`, `omero` and their neighbours say, of version 0.4 or 0.5 alike; it is empty
        where no group above the array names it as a level.

        Raises
        ------
        ReadError
            There is no array, its metadata are broken, it has no such plane, or it holds no grey values.
        """
        with _reading(location):
            array = self._open(location).array
            _place_of(location, array, selector)
            return Header(
                shape=(array.shape[-2], array.shape[-1]),
                dtype=_dtype(location, array).name,
                text=_image_text(location),
            )

    def read(self, location: str, selector: int, region: Region | None = None) -> npt.NDArray[Any]:
        """Return the pixels of a plane, or of a region of it, as a writable (y, x) array in native byte order.

        Only the chunks that the region touches are decoded.

        Raises
        ------
        ReadError
            As for `header`, and where the plane was not written or a chunk is damaged.
        """
        with _reading(location):
            found = self._open(location)
            dtype, place = _dtype(location, found.array), _place_of(location, found.array, selector)
            height, width = found.array.shape[-2:]
            rows, columns = (range(height), range(width)) if region is None else _spans(region, height, width)
            if not rows or not columns:
                return np.empty((len(rows), len(columns)), dtype)
            _refuse_unwritten(location, selector, found, place, rows, columns)
            where: tuple[int | slice, ...] = (*place, _slice(rows), _slice(columns))
            band = np.asarray(found.array[where])
            # The steps are taken here: zarr has none that go backwards.
            pixels = band[:: rows.step, :: columns.step] if (rows.step, columns.step) != (1, 1) else band
            return np.require(pixels, dtype, ["C", "W", "O"])

    def _open(self, location: str) -> _OpenArray:
        """Return the array at a location; the last one is kept until its document changes."""
        folder = Path(location)
        kind = format_of(folder)
        document = folder / (kind or FORMATS["0.5"]).array
        if not document.is_file():
            raise ReadError(
                f"{location} is no zarr array: there is neither .zarray nor zarr.json in it; has the plate been "
                "moved, or is a disk not mounted?"
            )
        state = document.stat()
        written = state.st_mtime_ns, state.st_size
        if self._last is None or (self._last.folder, self._last.written) != (folder, written):
            array = zarr.open_array(folder, mode="r", zarr_format=3 if document.name == "zarr.json" else 2)
            self._last = _OpenArray(folder=folder, written=written, array=array, stored=StoredChunks(folder, array))
        return self._last


@contextmanager
def _reading(location: str) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise ReadError(
            f"{location} is damaged, or of a kind of zarr that cannot be decoded ({text}): copy it again."
        ) from error


def _dtype(location: str, array: zarr.Array[Any]) -> np.dtype[Any]:
    dtype = np.dtype(array.dtype)
    if dtype.kind not in "biuf":
        raise ReadError(f"{location} holds {dtype}, which are no grey values: name an array of numbers.")
    return dtype.newbyteorder("=")


def _place_of(location: str, array: zarr.Array[Any], selector: int) -> tuple[int, ...]:
    """Return a plane's place along the axes before (y, x)."""
    if array.ndim < _PLANE_AXES:
        raise ReadError(f"{location} has {array.ndim} axes: an array of planes has y and x at least.")
    others = array.shape[:-_PLANE_AXES]
    if not 0 <= selector < prod(others):
        raise ReadError(f"{location} has no plane {selector}: it has {prod(others)}, counted from 0.")
    return tuple(int(index) for index in np.unravel_index(selector, others)) if others else ()


def _spans(region: Region, height: int, width: int) -> tuple[range, range]:
    return range(height)[region[0]], range(width)[region[1]]


def _ends(span: range) -> tuple[int, int]:
    return min(span[0], span[-1]), max(span[0], span[-1]) + 1


def _slice(span: range) -> slice:
    return slice(*_ends(span))


def _refuse_unwritten(
    location: str, selector: int, found: _OpenArray, place: tuple[int, ...], rows: range, columns: range
) -> None:
    """Refuse a plane of which nothing is stored, and chunks that would make their codec read past their end."""
    stored = found.stored
    others = [range(index, index + 1) for index in place]
    needed = [stored.find(chunk) for chunk in stored.every(*others, range(*_ends(rows)), range(*_ends(columns)))]
    for chunk in needed:
        if chunk is not None and stored.is_cut_short(chunk):
            raise ReadError(
                f"{location} is damaged: a chunk in {chunk.path} is not as long as its header says; copy it again."
            )
    whole: Iterator[ChunkPlace] = stored.every(*others, *map(range, found.array.shape[-_PLANE_AXES:]))
    if not any(needed) and not any(map(stored.find, whole)):
        raise ReadError(
            f"{location} has nothing of plane {selector} (index {place or 0}): it was not written; leave it out."
        )


def _image_text(location: str) -> str:
    """Return the OME metadata of the image that an array is a level of, as JSON; empty where there is none."""
    folder = Path(location).absolute()
    for image in folder.parents[:_IMAGE_DEPTH]:
        kind = format_of(image)
        try:
            ome = kind.read_ome(image) if kind else {}
        except StorageError as error:
            raise ReadError(f"{location} lies in an image whose metadata are broken: {error}") from error
        path = folder.relative_to(image).as_posix()
        if any(path == level["path"] for scales in ome.get("multiscales", ()) for level in scales["datasets"]):
            return json.dumps(ome)
    return ""
