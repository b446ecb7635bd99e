"""Files of one plane each, as they are written: ImageJ's own reader, OME readers and everyone else's open them.

What ImageJ 1.52i opens was tried on files of every kind: raw, LZW and Deflate are read right. Of Deflate with a
predictor it makes other pixels without a word, and zstd it does not know. LZW takes as long as Deflate, and more
room. So files are raw or plain Deflate.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from hcs_core import Compression, StorageError
from hcs_disk.places import PARTIAL, storing

_TEXT_TAG = 270
_UM_PER_CM = 10_000
_LARGEST = 2**31 - 1
"""TIFF's rationals are unsigned, but ImageJ reads their parts as signed integers of 32 bits."""


def write_plane(
    path: Path,
    plane: npt.NDArray[Any],
    text: bytes | None,
    *,
    pixel_size_um: float | None,
    compression: Compression,
) -> None:
    """Write a (y, x) plane, whole or not at all: it has another name until it is whole.

    Parameters
    ----------
    path
        The file.
    plane
        The pixels.
    text
        The ImageDescription, in ASCII; `None` for none.
    pixel_size_um
        The side of a pixel; `None` where it is not known.
    compression
        How it is packed.

    Raises
    ------
    StorageError
        The operating system refuses.
    """
    with storing(path):
        write_page(path, plane, text, pixel_size_um, **_packing(compression, plane.dtype))


def write_page(
    path: Path, plane: npt.NDArray[Any], text: str | bytes | None, pixel_size_um: float | None, **packing: Any
) -> None:
    """Write a file of one page, whole or not at all; what is cut off is left under another name, with `PARTIAL`.

    Raises
    ------
    OSError
        The operating system refuses.
    """
    partial = f"{path}{PARTIAL}"
    tifffile.imwrite(
        partial,
        np.ascontiguousarray(plane),
        byteorder="<",
        photometric="minisblack",
        software="hcs-disk",
        description=text,
        metadata=None,
        # Wells are worked on side by side already.
        maxworkers=1,
        **resolution(pixel_size_um),
        **packing,
    )
    os.replace(partial, path)  # noqa: PTH105  Path.replace returns a value


def replace_text(path: Path, text: bytes) -> None:
    """Write another ImageDescription, of the same length, in place of that of a file.

    Raises
    ------
    StorageError
        The file cannot be read or written.
    """
    with storing(path):
        try:
            with tifffile.TiffFile(path, mode="r+") as tiff:
                tiff.pages.first.tags[_TEXT_TAG].overwrite(text)
        except (tifffile.TiffFileError, LookupError) as error:
            raise StorageError(f"{path} is damaged ({error}): make the well again.") from error


def resolution(pixel_size_um: float | None) -> dict[str, Any]:
    """Return the arguments for pixels per centimetre, which ImageJ shows as um; none where they are not known."""
    if pixel_size_um is None:
        return {}
    exact = _UM_PER_CM / Fraction(repr(float(pixel_size_um)))
    # Numerator and denominator must both fit.
    per_cm = exact.limit_denominator(int(_LARGEST / exact) if exact > 1 else _LARGEST)
    pair = (per_cm.numerator, per_cm.denominator)
    return {"resolution": (pair, pair), "resolutionunit": "CENTIMETER"}


def _packing(compression: Compression, dtype: np.dtype[Any]) -> dict[str, Any]:
    # Eight pixels in a byte already, and ImageJ turns black and white about where they are packed as well.
    if compression.codec == "none" or dtype.kind == "b":
        return {}
    return {"compression": "zlib", "compressionargs": {"level": compression.level}, "predictor": False}
