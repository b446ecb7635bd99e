"""Which of the compressions that microscopes write into TIFF files can be read here: each is tried."""

from __future__ import annotations

import io

import numpy as np
import tifffile

from hcs_disk.tiff import FAULTS

CODECS = {"none": None, "LZW": "lzw", "Deflate": "zlib", "zstd": "zstd", "JPEG 2000": "jpeg2000"}
"""What people call a compression, and what tifffile does."""


def codecs() -> dict[str, str]:
    """Return why each compression cannot be used, by its name; empty where it can."""
    return {name: _why_not(compression) for name, compression in CODECS.items()}


def _why_not(compression: str | None) -> str:
    plane = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    file = io.BytesIO()
    try:
        tifffile.imwrite(file, plane, compression=compression)
        file.seek(0)
        back = tifffile.imread(file)
    # What tifffile raises where imagecodecs has no such codec, or is not there, too.
    except FAULTS as error:
        return " ".join(f"{type(error).__name__}: {error}".split())
    return "" if np.array_equal(back, plane) else "what it packs comes back as something else"
