"""Regions of a page: only the strips or tiles that a region touches are read from the file and decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from hcs_core import Region

_JPEG = frozenset({6, 7, 34892, 33007})
"""Compressions whose segments need the tables that stand beside them."""


def read_region(tiff: tifffile.TiffFile, page: tifffile.TiffPage, region: Region) -> npt.NDArray[Any]:
    """Return a region of a 2-D page as an array of its own, in the byte order that tifffile gives.

    Of pages whose pixels lie in one piece the rows are read that the region spans, of others the strips or tiles.
    """
    height, width = page.shape
    rows, columns = range(height)[region[0]], range(width)[region[1]]
    if not rows or not columns:
        return np.empty((len(rows), len(columns)), page.dtype)
    top, left = min(rows[0], rows[-1]), min(columns[0], columns[-1])
    bottom, right = max(rows[0], rows[-1]) + 1, max(columns[0], columns[-1]) + 1
    if page.is_contiguous and page.predictor == 1 and page.fillorder == 1:
        box = _rows(tiff, page, top, bottom)[:, left:right]
    else:
        box = _box(tiff, page, (top, bottom, left, right))
    # The box ends where the region does, so that steps alone pick from it; a copy, so that it is not kept in memory.
    return box[:: rows.step, :: columns.step].copy()


def _rows(tiff: tifffile.TiffFile, page: tifffile.TiffPage, top: int, bottom: int) -> npt.NDArray[Any]:
    width = page.shape[1]
    stored = np.dtype(page.dtype).newbyteorder(tiff.byteorder)
    tiff.filehandle.seek(page.dataoffsets[0] + top * width * stored.itemsize)
    band: npt.NDArray[Any] = tiff.filehandle.read_array(stored, (bottom - top) * width)
    return band.reshape(-1, width)


def _box(tiff: tifffile.TiffFile, page: tifffile.TiffPage, edges: tuple[int, int, int, int]) -> npt.NDArray[Any]:
    """Decode the strips or tiles that touch (top, bottom, left, right), and put together what lies within."""
    top, bottom, left, right = edges
    tall, wide = page.chunks
    across = page.chunked[1]
    tables: dict[str, Any] = {}
    if page.compression in _JPEG:
        tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}
    box = np.empty((bottom - top, right - left), page.dtype)
    for row in range(top // tall, -(-bottom // tall)):
        for column in range(left // wide, -(-right // wide)):
            index = row * across + column
            tiff.filehandle.seek(page.dataoffsets[index])
            packed = tiff.filehandle.read(page.databytecounts[index])
            pixels = np.asarray(page.decode(packed, index, **tables)[0])[0, :, :, 0]
            y, x = row * tall, column * wide
            part = pixels[max(top - y, 0) : bottom - y, max(left - x, 0) : right - x]
            box[max(y - top, 0) :, max(x - left, 0) :][: part.shape[0], : part.shape[1]] = part
    return box
