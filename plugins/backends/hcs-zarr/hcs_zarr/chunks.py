"""Planes into chunks: one level of one image, packed and kept chunk by chunk.

Chunks are packed with numcodecs, on which zarr's own codecs rest, and written as files, because zarr's API
cost about a third of a tile's whole time (benchmarks/tile.py measures it); a test compares the bytes with zarr's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core import StorageError
from hcs_zarr.chunk_files import ChunkFiles, ChunkPlace
from hcs_zarr.levels import LevelArray
from hcs_zarr.packing import DAMAGED, packer
from hcs_zarr.shard_files import ShardFiles

PlaneIndex = tuple[int, int, int]
"""A plane's, or a block's, place along t, c and z."""


@attrs.define(eq=False)
class _Block:
    """Planes that share chunks, until all of them are there.

    `pixels` is (t, c, z, y, x); `taken` (t, c, z) says which planes have come; `is_rewrite` that the others hold
    what was on disk before.
    """

    pixels: npt.NDArray[Any]
    taken: npt.NDArray[np.bool_]
    is_rewrite: bool


class LevelWriter:
    """Writes the planes of one level of one image, each chunk once and whole.

    Parameters
    ----------
    folder
        The array's folder.
    array
        The array.

    Notes
    -----
    A plane that has its chunks to itself is written at once and nothing of it is held. Where chunks span
    several planes, these are held until the last has come, or until `flush`, which fills the absent ones with 0.
    """

    def __init__(self, folder: Path, array: LevelArray) -> None:
        self._folder = folder
        self._shape = array.shape
        self._chunk = array.chunk
        self._dtype = np.dtype(array.dtype)
        self._little = self._dtype.newbyteorder("<")
        self._packer = packer(array.compression)
        self._place: ChunkPlace = ChunkFiles(folder, array) if array.shard is None else ShardFiles(folder, array)
        self._held: dict[PlaneIndex, _Block] = {}
        self._filled: set[PlaneIndex] = set()

    def put(self, index: PlaneIndex, plane: npt.NDArray[Any]) -> None:
        """Take a (y, x) plane; write it, or the block that it completes.

        Raises
        ------
        StorageError
            A chunk cannot be written.
        """
        if self._chunk[:3] == (1, 1, 1):
            self._write_block(index, plane[np.newaxis, np.newaxis, np.newaxis])
            return
        key = self._block_of(index)
        block = self._held.get(key) or self._start_block(key)
        inside = self._inside(index)
        block.pixels[inside] = plane
        block.taken[inside] = True
        self._filled.discard(index)
        if block.taken.all():
            self._write_block(key, block.pixels)
            del self._held[key]

    def flush(self) -> None:
        """Write the blocks that are not complete, with 0 where a plane is absent, and what shards still lack.

        Raises
        ------
        StorageError
            A chunk cannot be written.
        """
        for key, block in list(self._held.items()):
            self._write_block(key, block.pixels)
            del self._held[key]
            if not block.is_rewrite:
                for absent in np.argwhere(~block.taken).tolist():
                    t, c, z = (part.start + i for part, i in zip(self._region(key), absent, strict=True))
                    self._filled.add((t, c, z))
        self._place.flush()

    def read(self, index: PlaneIndex) -> npt.NDArray[Any] | None:
        """Return a (y, x) plane in an array of its own, or `None` where it was not written.

        Raises
        ------
        StorageError
            A chunk is damaged.
        """
        key, inside = self._block_of(index), self._inside(index)
        if key in self._held:
            block = self._held[key]
            is_there = block.taken[inside] or (block.is_rewrite and index not in self._filled)
            return block.pixels[inside].copy() if is_there else None
        if index in self._filled:
            return None
        pixels = self._load(key)
        if pixels is None:
            return None
        plane: npt.NDArray[Any] = pixels[inside]
        # A copy, so that one plane does not keep its whole block in memory.
        return plane if plane.size == pixels.size else plane.copy()

    def drop(self, index: PlaneIndex) -> None:
        """Forget a plane, if it is there.

        The room of one that has its chunks to itself is free at once; one that shares them is absent from now on.

        Raises
        ------
        StorageError
            A chunk cannot be removed.
        """
        key = self._block_of(index)
        if self._chunk[:3] == (1, 1, 1):
            for y, x in self._tiles():
                self._place.drop((*key, y, x))
            return
        self._filled.add(index)
        if key in self._held:
            inside = self._inside(index)
            self._held[key].pixels[inside] = 0
            self._held[key].taken[inside] = False

    def _load(self, key: PlaneIndex) -> npt.NDArray[Any] | None:
        """Return what the planes of a block hold on disk, or `None` where a chunk of them is absent."""
        pixels = np.empty(self._block_shape(key), self._dtype)
        height, width = self._chunk[3:]
        for y, x in self._tiles():
            try:
                content = self._place.get((*key, y, x))
                if content is None:
                    return None
                chunk = self._packer.array(content, self._chunk, self._dtype)
            except DAMAGED as error:
                raise StorageError(
                    f"{self._folder} cannot be read ({type(error).__name__}: {error}): its chunks are damaged; "
                    "discard the well and write it again."
                ) from error
            part = pixels[..., y * height : (y + 1) * height, x * width : (x + 1) * width]
            # A chunk at the array's edge is stored at its full size.
            part[...] = chunk[tuple(slice(size) for size in part.shape)]
        return pixels

    def _block_of(self, index: PlaneIndex) -> PlaneIndex:
        t, c, z = (i // size for i, size in zip(index, self._chunk, strict=False))
        return t, c, z

    def _inside(self, index: PlaneIndex) -> PlaneIndex:
        t, c, z = (i % size for i, size in zip(index, self._chunk, strict=False))
        return t, c, z

    def _region(self, key: PlaneIndex) -> tuple[slice, slice, slice]:
        t, c, z = (
            slice(i * size, min((i + 1) * size, whole))
            for i, size, whole in zip(key, self._chunk, self._shape, strict=False)
        )
        return t, c, z

    def _block_shape(self, key: PlaneIndex) -> tuple[int, ...]:
        return (*(part.stop - part.start for part in self._region(key)), *self._shape[3:])

    def _start_block(self, key: PlaneIndex) -> _Block:
        shape = self._block_shape(key)
        pixels = None
        # Written before: what is there stays, but for the planes that come now. What a writer that was killed
        # has left behind cut short is nothing.
        with contextlib.suppress(StorageError):
            pixels = self._load(key)
        is_rewrite = pixels is not None
        block = _Block(
            pixels if pixels is not None else np.zeros(shape, self._dtype), np.zeros(shape[:3], np.bool_), is_rewrite
        )
        self._held[key] = block
        return block

    def _tiles(self) -> Iterator[tuple[int, int]]:
        rows, columns = (-(-whole // size) for whole, size in zip(self._shape[3:], self._chunk[3:], strict=True))
        return product(range(rows), range(columns))

    def _write_block(self, key: PlaneIndex, block: npt.NDArray[Any]) -> None:
        height, width = self._chunk[3:]
        for y, x in self._tiles():
            tile = block[..., y * height : (y + 1) * height, x * width : (x + 1) * width]
            if tile.shape != self._chunk:
                # A chunk at the array's edge is stored at its full size.
                whole = np.zeros(self._chunk, self._dtype)
                whole[tuple(slice(size) for size in tile.shape)] = tile
                tile = whole
            self._place.put((*key, y, x), self._packer.pack(np.ascontiguousarray(tile, self._little)))
