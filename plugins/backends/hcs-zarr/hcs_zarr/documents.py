"""The documents that make arrays: `zarr.json` of zarr format 3, `.zarray` of format 2.

They are the bytes that zarr itself writes, which a test compares; made here, a run that only writes never has to
import zarr, which takes 0.2 s of CPU time in every process. One document serves that level of every image.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from hcs_core import Compression
from hcs_zarr.levels import LevelArray

AXES = ("t", "c", "z", "y", "x")
BLOSC = ("lz4", "zstd")
CODECS = ("none", "gzip", *BLOSC)

Json = dict[str, Any]


def array_document(array: LevelArray) -> bytes:
    """Return the bytes of an array's document, as zarr writes them."""
    document = _format_three(array) if array.format.group == "zarr.json" else _format_two(array)
    return json.dumps(document, indent=2).encode()


def _fill_value(dtype: np.dtype[Any]) -> bool | float | int:
    return {"b": False, "f": 0.0}.get(dtype.kind, 0)


def _format_three(array: LevelArray) -> Json:
    dtype = np.dtype(array.dtype)
    codecs = [_bytes_codec(dtype), *_packed_by(array.compression, dtype)]
    if array.shard is not None:
        sharding = {
            "chunk_shape": array.chunk,
            "codecs": codecs,
            "index_codecs": [_bytes_codec(np.dtype(np.uint64)), {"name": "crc32c"}],
            "index_location": "end",
        }
        codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    return {
        "shape": array.shape,
        "data_type": array.dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": array.shard or array.chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": _fill_value(dtype),
        "codecs": codecs,
        "attributes": {},
        "dimension_names": AXES,
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def _bytes_codec(dtype: np.dtype[Any]) -> Json:
    return {"name": "bytes"} | ({"configuration": {"endian": "little"}} if dtype.itemsize > 1 else {})


def _packed_by(compression: Compression, dtype: np.dtype[Any]) -> list[Json]:
    if compression.codec == "none":
        return []
    if compression.codec == "gzip":
        return [{"name": "gzip", "configuration": {"level": compression.level}}]
    blosc = {
        "typesize": dtype.itemsize,
        "cname": compression.codec,
        "clevel": compression.level,
        "shuffle": "shuffle" if compression.shuffle else "noshuffle",
        "blocksize": 0,
    }
    return [{"name": "blosc", "configuration": blosc}]


def _format_two(array: LevelArray) -> Json:
    dtype = np.dtype(array.dtype)
    return {
        "shape": array.shape,
        "chunks": array.chunk,
        "dtype": dtype.newbyteorder("<").str,
        "fill_value": _fill_value(dtype),
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
        "compressor": _compressor(array.compression),
        "zarr_format": 2,
    }


def _compressor(compression: Compression) -> Json | None:
    if compression.codec == "none":
        return None
    if compression.codec == "gzip":
        return {"id": "gzip", "level": compression.level}
    return {
        "id": "blosc",
        "cname": compression.codec,
        "clevel": compression.level,
        "shuffle": int(compression.shuffle),
        "blocksize": 0,
    }
