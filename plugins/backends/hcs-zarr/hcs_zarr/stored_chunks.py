"""Which chunks of an array lie on disk, and where, without decoding one: any zarr array in folders, by whomever."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import attrs
import numcodecs  # type: ignore[import-untyped]  # it publishes no types
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, Endian, ShardingCodec
from zarr.core.metadata import ArrayV3Metadata

from hcs_zarr.packing import BLOSC_HEADER, is_whole_blosc
from hcs_zarr.shard_index import ABSENT, Index, index_length, parse_index

ChunkPlace = tuple[int, ...]
"""A chunk's place along each axis, in chunks."""


@attrs.frozen(kw_only=True)
class StoredChunk:
    """Where the bytes of a chunk lie: the whole file, or a part of a shard."""

    path: Path
    offset: int
    length: int


class StoredChunks:
    """Finds the chunks of one array.

    Parameters
    ----------
    folder
        The array's folder.
    array
        The array, opened by zarr.

    Notes
    -----
    A shard whose index is packed in another way than by zarr's default is taken for whole: its chunks are found if
    the shard is.
    """

    def __init__(self, folder: Path, array: zarr.Array[Any]) -> None:
        self._folder = folder
        self._array = array
        self._chunks = array.chunks
        self._sharding = _sharding(array)
        sizes = array.shards if self._sharding else array.chunks
        self._sizes = sizes or array.chunks
        self._per_shard = tuple(whole // part for whole, part in zip(self._sizes, self._chunks, strict=True))
        self._blosc = _is_packed_by_blosc(array, self._sharding)
        self._read: tuple[tuple[Path, int, int], Index | None] | None = None

    def every(self, *spans: range) -> Iterator[ChunkPlace]:
        """Yield the places of the chunks that hold any of these indices along each axis."""
        yield from product(
            *(
                range(span.start // size, -(-span.stop // size))
                for span, size in zip(spans, self._chunks, strict=True)
            )
        )

    def find(self, place: ChunkPlace) -> StoredChunk | None:
        """Return where a chunk lies, or `None` where it was not written.

        Raises
        ------
        ValueError, OSError
            The index of its shard is damaged.
        """
        shard = tuple(at // per for at, per in zip(place, self._per_shard, strict=True))
        path = self._folder / self._array.metadata.encode_chunk_key(shard)
        try:
            file = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        index = self._index(path, file)
        if index is None:
            return StoredChunk(path=path, offset=0, length=file.st_size)
        inside = tuple(at % per for at, per in zip(place, self._per_shard, strict=True))
        offset, size = (int(number) for number in index[inside])
        if offset == ABSENT:
            return None
        if offset + size > file.st_size:
            raise ValueError(f"{path.name}: a shard is shorter than its index says")
        return StoredChunk(path=path, offset=offset, length=size)

    def is_cut_short(self, chunk: StoredChunk) -> bool:
        """Whether a chunk is shorter than it says itself, where its codec would read on behind its end."""
        if not self._blosc:
            return False
        with chunk.path.open("rb") as file:
            file.seek(chunk.offset)
            return not is_whole_blosc(file.read(BLOSC_HEADER), chunk.length)

    def _index(self, path: Path, file: os.stat_result) -> Index | None:
        """Return the index of a shard; `None` where there is none to be read. The last one is kept."""
        if self._sharding is None:
            return None
        key = (path, file.st_mtime_ns, file.st_size)
        if self._read is None or self._read[0] != key:
            self._read = (key, self._parsed(self._sharding, path, file.st_size))
        return self._read[1]

    def _parsed(self, sharding: ShardingCodec, path: Path, length: int) -> Index | None:
        match sharding.index_codecs:
            case (BytesCodec(endian=Endian.little),):
                has_checksum = False
            case (BytesCodec(endian=Endian.little), Crc32cCodec()):
                has_checksum = True
            case _:
                return None
        size = index_length(self._per_shard, has_checksum=has_checksum)
        with path.open("rb") as file:
            if sharding.index_location.value == "end":
                file.seek(max(0, length - size))
            return parse_index(file.read(size), self._per_shard, has_checksum=has_checksum)


def _sharding(array: zarr.Array[Any]) -> ShardingCodec | None:
    """Return the codec of an array's shards, if it is its only one: others would pack the shards themselves."""
    codecs = array.metadata.codecs if isinstance(array.metadata, ArrayV3Metadata) else ()
    return codecs[0] if len(codecs) == 1 and isinstance(codecs[0], ShardingCodec) else None


def _is_packed_by_blosc(array: zarr.Array[Any], sharding: ShardingCodec | None) -> bool:
    """Whether what lies on disk of a chunk is what blosc made."""
    if isinstance(array.metadata, ArrayV3Metadata):
        codecs = sharding.codecs if sharding else array.metadata.codecs
        return isinstance(codecs[-1], BloscCodec)
    return isinstance(array.metadata.compressor, numcodecs.Blosc)
