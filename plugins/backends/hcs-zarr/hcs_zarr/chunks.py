"""Planes into chunks: one level of one image, packed and written chunk by chunk.

Chunks are packed with numcodecs, on which zarr's own codecs rest, and written as files, because zarr's API
cost about a third of a tile's whole time (benchmarks/tile.py measures it); a test compares the bytes with zarr's.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from io import FileIO
from itertools import product
from pathlib import Path
from typing import Any

import attrs
import numcodecs  # type: ignore[import-untyped]  # it publishes no types
import numpy as np
import numpy.typing as npt
import zarr
from numcodecs.blosc import Blosc  # type: ignore[import-untyped]  # as above

from hcs_core import Compression, StorageError
from hcs_zarr.documents import BLOSC, UNREADABLE, Shape
from hcs_zarr.places import storing

Pack = Callable[[npt.NDArray[Any]], Any]
"""Makes the bytes of a chunk from a C-contiguous, little-endian array."""

PlaneIndex = tuple[int, int, int]
"""A plane's, or a block's, place along t, c and z."""


def _packer(compression: Compression) -> Pack:
    """Return what packs a chunk, by the same codecs and settings as the arrays' metadata name."""
    if compression.codec == "none":
        return lambda chunk: chunk.data
    if compression.codec == "gzip":
        return partial(_pack_gzip, numcodecs.GZip(level=compression.level))
    shuffle = Blosc.SHUFFLE if compression.shuffle else Blosc.NOSHUFFLE
    blosc: Pack = Blosc(cname=compression.codec, clevel=compression.level, shuffle=shuffle).encode
    return blosc


def _pack_gzip(codec: numcodecs.GZip, chunk: npt.NDArray[Any]) -> bytes:
    """Pack by gzip without the time of packing, so that the same pixels are always the same bytes.

    A time of 0 says that there is none (RFC 1952, section 2.3.1).
    """
    packed: bytes = codec.encode(chunk)
    return packed[:4] + bytes(4) + packed[8:]


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
    shape, chunk
        (t, c, z, y, x) of the array and of a chunk.
    dtype
        The dtype of the pixels.
    compression
        How chunks are packed.

    Notes
    -----
    A plane that has its chunks to itself is written at once and nothing of it is held. Where chunks span
    several planes, these are held until the last has come, or until `flush`, which fills the absent ones with 0.
    """

    def __init__(
        self,
        folder: Path,
        shape: Shape,
        chunk: Shape,
        dtype: np.dtype[Any],
        compression: Compression,
    ) -> None:
        self._folder = folder
        self._shape = shape
        self._chunk = chunk
        self._dtype = dtype
        self._little = dtype.newbyteorder("<")
        self._compression = compression
        self._pack = _packer(compression)
        self._held: dict[PlaneIndex, _Block] = {}
        self._filled: set[PlaneIndex] = set()
        self._made: set[str] = set()
        self._array: zarr.Array[Any] | None = None

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
        inside = tuple(i % size for i, size in zip(index, self._chunk, strict=False))
        block.pixels[inside] = plane
        block.taken[inside] = True
        self._filled.discard(index)
        if block.taken.all():
            self._write_block(key, block.pixels)
            del self._held[key]

    def flush(self) -> None:
        """Write the blocks that are not complete, with 0 where a plane is absent."""
        for key, block in list(self._held.items()):
            self._write_block(key, block.pixels)
            del self._held[key]
            if not block.is_rewrite:
                for absent in np.argwhere(~block.taken).tolist():
                    t, c, z = (part.start + i for part, i in zip(self._region(key), absent, strict=True))
                    self._filled.add((t, c, z))

    def read(self, index: PlaneIndex) -> npt.NDArray[Any] | None:
        """Return a (y, x) plane in an array of its own, or `None` where it was not written.

        Raises
        ------
        StorageError
            A chunk is damaged.
        """
        key = self._block_of(index)
        if key in self._held:
            block = self._held[key]
            inside = tuple(i % size for i, size in zip(index, self._chunk, strict=False))
            is_there = block.taken[inside] or (block.is_rewrite and index not in self._filled)
            return block.pixels[inside].copy() if is_there else None
        if index in self._filled or not all(self._path(key, *tile).is_file() for tile in self._tiles()):
            return None
        t, c, z = index
        plane: npt.NDArray[Any] = self._load(key, (slice(t, t + 1), slice(c, c + 1), slice(z, z + 1)))[0, 0, 0]
        return plane

    def _load(self, key: PlaneIndex, region: tuple[slice, slice, slice]) -> npt.NDArray[Any]:
        """Return what a (t, c, z) region within the block `key` holds on disk."""
        paths = [self._path(key, *tile) for tile in self._tiles()]
        try:
            if self._compression.codec in BLOSC and any(is_cut_short(path) for path in paths):
                raise ValueError("a chunk is not as long as its header says")
            if self._array is None:
                self._array = zarr.open_array(self._folder, mode="r")
            pixels: npt.NDArray[Any] = np.asarray(self._array[region])
        except UNREADABLE as error:
            raise StorageError(
                f"{self._folder} cannot be read ({type(error).__name__}: {error}): its chunks are damaged; discard "
                "the well and write it again."
            ) from error
        return pixels

    def _block_of(self, index: PlaneIndex) -> PlaneIndex:
        t, c, z = (i // size for i, size in zip(index, self._chunk, strict=False))
        return t, c, z

    def _region(self, key: PlaneIndex) -> tuple[slice, slice, slice]:
        t, c, z = (
            slice(i * size, min((i + 1) * size, whole))
            for i, size, whole in zip(key, self._chunk, self._shape, strict=False)
        )
        return t, c, z

    def _start_block(self, key: PlaneIndex) -> _Block:
        region = self._region(key)
        planes = tuple(part.stop - part.start for part in region)
        pixels = np.zeros((*planes, *self._shape[3:]), self._dtype)
        is_rewrite = False
        if self._path(key, 0, 0).is_file():
            # Written before: what is there stays, but for the planes that come now. What a writer that was killed
            # has left behind cut short is nothing.
            with contextlib.suppress(StorageError):
                pixels[:] = self._load(key, region)
                is_rewrite = True
        block = _Block(pixels, np.zeros(planes, np.bool_), is_rewrite)
        self._held[key] = block
        return block

    def _tiles(self) -> Iterator[tuple[int, int]]:
        rows, columns = (-(-whole // size) for whole, size in zip(self._shape[3:], self._chunk[3:], strict=True))
        return product(range(rows), range(columns))

    def _path(self, key: PlaneIndex, tile_y: int, tile_x: int) -> Path:
        t, c, z = key
        return Path(f"{self._folder}/c/{t}/{c}/{z}/{tile_y}/{tile_x}")

    def _write_block(self, key: PlaneIndex, block: npt.NDArray[Any]) -> None:
        height, width = self._chunk[3:]
        for y, x in self._tiles():
            tile = block[..., y * height : (y + 1) * height, x * width : (x + 1) * width]
            if tile.shape != self._chunk:
                # A chunk at the array's edge is stored at its full size.
                whole = np.zeros(self._chunk, self._dtype)
                whole[tuple(slice(size) for size in tile.shape)] = tile
                tile = whole
            self._write_file(key, y, x, self._pack(np.ascontiguousarray(tile, self._little)))

    def _write_file(self, key: PlaneIndex, tile_y: int, tile_x: int, content: Any) -> None:
        path = self._path(key, tile_y, tile_x)
        with storing(path):
            self._make_folders(*key, tile_y)
            # Unbuffered: the content is one piece already.
            with path.open("wb", buffering=0) as file:
                _write_all(file, content)

    def _make_folders(self, *places: int) -> None:
        """Make the folders that a chunk's key stands for, each once: asking again costs as much as making."""
        folder = f"{self._folder}/c"
        for name in ("", *(f"/{place}" for place in places)):
            folder += name
            if folder not in self._made:
                Path(folder).mkdir(exist_ok=True)
                self._made.add(folder)


def is_cut_short(path: Path) -> bool:
    """Whether a chunk that blosc packed has another length than its header says.

    blosc itself does not ask how long its input is: it reads on, into memory that is not the chunk's. The header
    (16 bytes) holds the packed length in its last 4 (https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst).
    """
    with path.open("rb") as file:
        header = file.read(16)
        length = file.seek(0, os.SEEK_END)
    return len(header) < 16 or int.from_bytes(header[12:], "little") != length  # noqa: PLR2004  said above


def _write_all(file: FileIO, content: Any) -> None:
    """Write a buffer whole: one call of the system may write less than it is given."""
    left = memoryview(content).cast("B")
    while left:
        left = left[file.write(left) :]
