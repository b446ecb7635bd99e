"""The `zarr.json` of a store's arrays: zarr makes one for each level, and its bytes serve every image.

Through zarr's own `create_array` a plate of 17,700 arrays takes 25 s and more; copies take about one.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCname, BloscCodec, BloscShuffle, GzipCodec
from zarr.storage import MemoryStore

from hcs_core import Compression, ImageLayout
from hcs_zarr.places import DOCUMENT

AXES = ("t", "c", "z", "y", "x")
BLOSC = ("lz4", "zstd")
CODECS = ("none", "gzip", *BLOSC)

UNREADABLE = (OSError, ValueError, RuntimeError, EOFError, KeyError, TypeError, zlib.error)
"""What zarr and its codecs raise for an array whose metadata or chunks are damaged."""

Shape = tuple[int, int, int, int, int]


def level_shape(image: ImageLayout, level: int) -> Shape:
    """Return the (t, c, z, y, x) of a level's array."""
    t, c, z, _, _ = image.shape
    y, x = image.level_shapes[level]
    return t, c, z, y, x


def level_chunk(image: ImageLayout, level: int) -> Shape:
    """Return the (t, c, z, y, x) of a level's chunks: the layout's, and at most the whole array."""
    t, c, z, y, x = (min(pair) for pair in zip(image.chunk, level_shape(image, level), strict=True))
    return t, c, z, y, x


@functools.lru_cache(maxsize=64)
def level_documents(image: ImageLayout, compression: Compression) -> tuple[bytes, ...]:
    """Return the bytes of each level's `zarr.json`, as zarr itself writes them."""
    return tuple(_document(image, level, compression) for level in range(len(image.level_shapes)))


def _document(image: ImageLayout, level: int, compression: Compression) -> bytes:
    kept: dict[str, Any] = {}
    zarr.create_array(
        MemoryStore(kept),
        shape=level_shape(image, level),
        chunks=level_chunk(image, level),
        dtype=image.dtype,
        compressors=_compressors(compression, np.dtype(image.dtype).itemsize),
        filters=None,
        fill_value=0,
        zarr_format=3,
        dimension_names=AXES,
        chunk_key_encoding={"name": "default", "separator": "/"},
    )
    document: bytes = kept[DOCUMENT].to_bytes()
    return document


def _compressors(compression: Compression, itemsize: int) -> tuple[BloscCodec | GzipCodec, ...]:
    if compression.codec == "none":
        return ()
    if compression.codec == "gzip":
        return (GzipCodec(level=compression.level),)
    packed_by = BloscCname(compression.codec)
    shuffle = BloscShuffle.shuffle if compression.shuffle else BloscShuffle.noshuffle
    return (BloscCodec(cname=packed_by, clevel=compression.level, shuffle=shuffle, typesize=itemsize),)
