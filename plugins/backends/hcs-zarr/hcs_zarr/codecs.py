"""Which of the codecs that chunks can be packed with work here: each is tried."""

from __future__ import annotations

import numpy as np

from hcs_core import Compression
from hcs_zarr.packing import DAMAGED, packer

CODECS = ("none", "lz4", "zstd", "gzip")
"""What `ZarrConfig.compressor` can be; lz4 and zstd are blosc's."""


def codecs() -> dict[str, str]:
    """Return why each codec cannot be used, by its name; empty where it can."""
    return {name: _why_not(name) for name in CODECS}


def _why_not(codec: str) -> str:
    chunk = np.arange(4096, dtype="<u2").reshape(64, 64)
    try:
        tool = packer(Compression(codec=codec))
        back = tool.array(bytes(tool.pack(chunk)), chunk.shape, chunk.dtype)
    # What numcodecs raises where it was built without the codec, too.
    except DAMAGED as error:
        return " ".join(f"{type(error).__name__}: {error}".split())
    return "" if np.array_equal(back, chunk) else "what it packs comes back as something else"
