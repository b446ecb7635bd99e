"""Where the packed chunks of an array rest, if many share a file: a shard is filled as chunks come, in any order.

Chunks are added to the end of their shard's file at once, and the index follows when all are there, or on `flush`. So
nothing is held but the index, 16 bytes a chunk, however large a shard is. Until its index is there, a shard cannot be
read; a chunk that is absent has no bytes in it. A chunk that is put again leaves its old bytes behind.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from hcs_zarr.chunk_files import ChunkFolders, write_all
from hcs_zarr.levels import LevelArray, Shape
from hcs_zarr.places import storing
from hcs_zarr.shard_index import ABSENT, Index, empty_index, index_bytes, index_length, parse_index


@attrs.define(eq=False)
class _Shard:
    """A shard that is being filled: its index so far, and where the next chunk goes."""

    index: Index
    end: int
    missing: int


class ShardFiles:
    """Keeps the chunks of an array in shards.

    Parameters
    ----------
    folder
        The array's folder.
    array
        The array, which has shards.
    """

    def __init__(self, folder: Path, array: LevelArray) -> None:
        self._array = array
        self._per_shard = array.chunks_per_shard
        self._folders = ChunkFolders(folder, array)
        self._open: dict[Shape, _Shard] = {}

    def put(self, place: Shape, content: Any) -> None:
        """Add a chunk to its shard; with the last one, the index.

        Raises
        ------
        StorageError
            The shard cannot be written.
        """
        at, inside = self._split(place)
        shard = self._open.get(at) or self._start(at)
        length = memoryview(content).nbytes
        self._write(at, shard.end, content)
        if shard.index[inside][0] == ABSENT:
            shard.missing -= 1
        shard.index[inside] = shard.end, length
        shard.end += length
        if not shard.missing:
            self._finish(at)

    def get(self, place: Shape) -> bytes | None:
        """Return a chunk's bytes, or `None` where there is none.

        Raises
        ------
        ValueError, OSError
            The shard is damaged.
        """
        at, inside = self._split(place)
        path = Path(self._folders.path(at))
        if at in self._open:
            index = self._open[at].index
        elif path.is_file():
            index = self._load(path)
        else:
            return None
        offset, length = (int(number) for number in index[inside])
        if offset == ABSENT:
            return None
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(length)
        if len(content) != length:
            raise ValueError("a shard is shorter than its index says")
        return content

    def drop(self, place: Shape) -> None:
        """Take a chunk out of its shard's index; its bytes stay in the file.

        Raises
        ------
        StorageError
            The shard cannot be written.
        """
        at, inside = self._split(place)
        if at not in self._open and not Path(self._folders.path(at)).is_file():
            return
        shard = self._open.get(at) or self._start(at)
        if shard.index[inside][0] != ABSENT:
            shard.index[inside] = ABSENT, ABSENT
            shard.missing += 1

    def flush(self) -> None:
        """Write the index of every shard that has none yet.

        Raises
        ------
        StorageError
            A shard cannot be written.
        """
        for at in list(self._open):
            self._finish(at)

    def _split(self, place: Shape) -> tuple[Shape, Shape]:
        """Return a chunk's shard, and its place in that."""
        t, c, z, y, x = (divmod(at, per) for at, per in zip(place, self._per_shard, strict=True))
        return (t[0], c[0], z[0], y[0], x[0]), (t[1], c[1], z[1], y[1], x[1])

    def _start(self, at: Shape) -> _Shard:
        """Begin a shard, or go on with one that is there; what a killed writer left without an index is nothing."""
        path = Path(self._folders.path(at))
        with storing(path):
            self._folders.make(at)
            try:
                index = self._load(path)
                end = path.stat().st_size - index_length(self._per_shard)
            except (FileNotFoundError, ValueError):
                path.write_bytes(b"")
                index, end = empty_index(self._per_shard), 0
        present = int(np.count_nonzero(index[..., 0] != ABSENT))
        shard = _Shard(index, end, self._array.chunks_within(at) - present)
        self._open[at] = shard
        return shard

    def _load(self, path: Path) -> Index:
        length = index_length(self._per_shard)
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - length))
            return parse_index(file.read(), self._per_shard)

    def _finish(self, at: Shape) -> None:
        shard = self._open[at]
        self._write(at, shard.end, index_bytes(shard.index))
        del self._open[at]

    def _write(self, at: Shape, offset: int, content: Any) -> None:
        path = self._folders.path(at)
        with storing(path):
            descriptor = os.open(path, os.O_WRONLY)
            try:
                os.lseek(descriptor, offset, os.SEEK_SET)
                write_all(descriptor, content)
            finally:
                os.close(descriptor)
