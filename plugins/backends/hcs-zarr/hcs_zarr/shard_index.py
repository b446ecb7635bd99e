"""The index of a shard: where each of its chunks lies in the file.

A table of two little-endian 64-bit numbers for each chunk, offset and length in bytes, in C order of the chunks'
places in the shard, all ones where a chunk is absent; then a CRC-32C of the table
(https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html).
"""

from __future__ import annotations

from math import prod

import google_crc32c
import numpy as np
import numpy.typing as npt

ABSENT = 2**64 - 1
CHECKSUM_BYTES = 4

Index = npt.NDArray[np.uint64]
"""(..., 2): offset and length of the chunk at each place; both `ABSENT` where there is none."""


def empty_index(chunks: tuple[int, ...]) -> Index:
    """Return the index of a shard of so many chunks along each axis, without any chunk."""
    return np.full((*chunks, 2), ABSENT, "<u8")


def index_bytes(index: Index) -> bytes:
    """Return an index as it stands in a shard."""
    table = index.tobytes()
    return table + int(google_crc32c.value(table)).to_bytes(CHECKSUM_BYTES, "little")


def index_length(chunks: tuple[int, ...], *, has_checksum: bool = True) -> int:
    """Return the bytes of the index of a shard of so many chunks along each axis."""
    return prod(chunks) * 16 + CHECKSUM_BYTES * has_checksum


def parse_index(content: bytes, chunks: tuple[int, ...], *, has_checksum: bool = True) -> Index:
    """Return the index that stands in a shard.

    Raises
    ------
    ValueError
        The bytes are not that many, or their checksum is another.
    """
    if len(content) != index_length(chunks, has_checksum=has_checksum):
        raise ValueError("a shard is too short for its index")
    table = content[: prod(chunks) * 16]
    if has_checksum and int(google_crc32c.value(table)) != int.from_bytes(content[-CHECKSUM_BYTES:], "little"):
        raise ValueError("the checksum of a shard's index is wrong")
    return np.frombuffer(table, "<u8").reshape(*chunks, 2).copy()
