"""Planes of TIFF files, through tifffile: whole, or an error.

tifffile is lenient where a reader of measurements must not be: strips that the file does not list, or that
have no bytes, come back as zeros, a strip that lies behind the end of the file is found only when it is
decoded, and a tag that cannot be read is logged and left out. So what a page claims is compared with the file's
size before any pixel is read.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from hcs_core import Header, ReadError, Region
from hcs_disk.segments import read_region
from hcs_disk.tifffile_log import unreadable_tags

_TEXT_TAG = 270
_PIXEL_TAGS = frozenset({256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339})
"""The tags without which the pixels would be read as something else than they are (TIFF 6.0, section 8)."""

FAULTS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    MemoryError,
    # imagecodecs' own errors are RuntimeErrors, as is the NotImplementedError of tifffile.
    RuntimeError,
    # A codec that is not there.
    ImportError,
    EOFError,
    struct.error,
    tifffile.TiffFileError,
)
"""What tifffile and imagecodecs raise on files that are damaged or of a kind that they do not know."""


class TiffReader:
    """Reads planes of TIFF files: `selector` is the page, counted from 0.

    Any byte order, TIFF and BigTIFF, strips and tiles, and every compression that imagecodecs decodes; only 2-D
    grey pages. Pixels come as they are stored: a palette is not applied, `MINISWHITE` is not inverted.
    """

    def header(self, location: str, selector: int) -> Header:
        """Return (y, x), dtype and ImageDescription (tag 270) of a page; no pixels are read.

        Raises
        ------
        ReadError
            The file is not there, is empty, is cut off, is no TIFF, has no such page, or the page is not 2-D.
        """
        with _opened(location) as (tiff, lost):
            page = _page(location, tiff, selector)
            _check(location, tiff, page, lost, {*_PIXEL_TAGS, _TEXT_TAG})
            return Header(shape=(page.shape[0], page.shape[1]), dtype=_dtype(page).name, text=_text(page))

    def read(self, location: str, selector: int, region: Region | None = None) -> npt.NDArray[Any]:
        """Return the pixels of a page, or of a region of it, as a writable (y, x) array in native byte order.

        Of raw pages that lie in one piece only the region's rows are read, of others the strips or tiles that it
        touches: what lies elsewhere in the file, damaged or not, is not looked at.

        Raises
        ------
        ReadError
            As for `header`, and where pixels are missing or cannot be decoded.
        """
        with _opened(location) as (tiff, lost):
            page = _page(location, tiff, selector)
            _check(location, tiff, page, lost, _PIXEL_TAGS)
            pixels = page.asarray(maxworkers=1) if region is None else read_region(tiff, page, region)
            return pixels.astype(_dtype(page), copy=False)


@contextmanager
def _opened(location: str) -> Iterator[tuple[tifffile.TiffFile, set[int]]]:
    """Open a file and give it with the codes of the tags that could not be read; turn faults into `ReadError`."""
    try:
        if os.stat(location).st_size == 0:  # noqa: PTH116 - no Path for every plane of a large plate
            raise ReadError(f"{location} is empty (0 bytes): copy it again from the instrument, or leave it out.")
        with unreadable_tags() as lost, tifffile.TiffFile(location) as tiff:
            yield tiff, lost
    except FileNotFoundError as error:
        raise ReadError(f"{location} is not there: has the plate been moved, or is a disk not mounted?") from error
    except OSError as error:
        raise ReadError(f"{location} cannot be read: {error.strerror or error}.") from error
    except FAULTS as error:
        raise ReadError(_reason(location, error)) from error


def _reason(location: str, error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if "not a TIFF file" in text:
        return f"{location} is no TIFF file, whatever its name says ({text}): copy it again, or leave it out."
    return f"{location} is cut off, damaged, or of a kind of TIFF that cannot be decoded ({text})."


def _page(location: str, tiff: tifffile.TiffFile, selector: int) -> tifffile.TiffPage:
    if selector == 0:
        # The first page is parsed already; the others are counted only where they are asked for.
        return tiff.pages.first
    count = len(tiff.pages)
    if not 0 <= selector < count:
        raise ReadError(f"{location} has no page {selector}: it has {count}, counted from 0.")
    page = tiff.pages[selector]
    if not isinstance(page, tifffile.TiffPage):
        raise ReadError(f"{location} has no page {selector} of its own: it shares the description of another.")
    return page


def _check(
    location: str, tiff: tifffile.TiffFile, page: tifffile.TiffPage, lost: set[int], needed: set[int] | frozenset[int]
) -> None:
    """Refuse a page that is not 2-D, or whose pixels, or needed tags, the file does not hold."""
    # tifffile also speaks of tags that it keeps, such as a text that is not ASCII.
    missing = sorted(code for code in lost & needed if code not in page.tags)
    if missing:
        names = ", ".join(tifffile.TIFF.TAGS.get(code, str(code)) for code in missing)
        raise ReadError(f"{location} is cut off or damaged: {names} of its page cannot be read; copy it again.")
    if page.axes != "YX" or 0 in page.shape:
        raise ReadError(
            f"{location} is not a 2-D grey image: it has shape {page.shape} (axes {page.axes or 'none'}); "
            "split its channels into files of their own."
        )
    _dtype(page)
    expected = int(np.prod(page.chunked))
    offsets, counts = page.dataoffsets, page.databytecounts
    if len(offsets) < expected or len(counts) < expected:
        raise ReadError(
            f"{location} lacks pixels: it lists {min(len(offsets), len(counts))} of {expected} strips or tiles."
        )
    size = tiff.filehandle.size
    for offset, count in zip(offsets, counts, strict=False):
        if offset <= 0 or count <= 0:
            raise ReadError(f"{location} lacks pixels: a strip or tile of it was never written.")
        if offset + count > size:
            raise ReadError(
                f"{location} is cut off: its pixels end at byte {offset + count}, the file at {size}; copy it again."
            )
    if page.is_contiguous and sum(counts) < page.nbytes:
        raise ReadError(f"{location} lacks pixels: it holds {sum(counts)} of {page.nbytes} bytes.")


def _dtype(page: tifffile.TiffPage) -> np.dtype[Any]:
    if page.dtype is None:
        raise ValueError(f"{page.bitspersample} bits of sample format {page.sampleformat}")
    return page.dtype.newbyteorder("=")


def _text(page: tifffile.TiffPage) -> str:
    value = page.tags.valueof(_TEXT_TAG, default="")
    # tifffile leaves bytes where they are neither UTF-8 nor cp1252; latin-1 decodes all.
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
