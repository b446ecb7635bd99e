"""Where the packed chunks of an array rest: each in a file of its own. `ChunkPlace` is what shards share with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from hcs_zarr.levels import LevelArray, Shape
from hcs_zarr.places import storing


class ChunkPlace(Protocol):
    """Keeps the packed chunks of one array, for its one writer; a chunk's place is (t, c, z, y, x) in chunks."""

    def put(self, place: Shape, content: Any) -> None:
        """Keep a chunk; one that was there is replaced."""
        ...

    def get(self, place: Shape) -> bytes | None:
        """Return a chunk's bytes, or `None` where there is none."""
        ...

    def drop(self, place: Shape) -> None:
        """Forget a chunk, and with it the room that it takes where that can be had; fine where there is none."""
        ...

    def flush(self) -> None:
        """Make all that was put readable for others."""
        ...


class ChunkFiles:
    """Keeps each chunk in a file.

    Parameters
    ----------
    folder
        The array's folder.
    array
        The array.
    """

    def __init__(self, folder: Path, array: LevelArray) -> None:
        self._folders = ChunkFolders(folder, array)

    def put(self, place: Shape, content: Any) -> None:
        """Write a chunk's file.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        path = self._folders.path(place)
        with storing(path):
            self._folders.make(place)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            try:
                write_all(descriptor, content)
            finally:
                os.close(descriptor)

    def get(self, place: Shape) -> bytes | None:
        """Return the bytes of a chunk's file; `None` where there is no file."""
        try:
            return Path(self._folders.path(place)).read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, place: Shape) -> None:
        """Remove a chunk's file, if it is there.

        Raises
        ------
        StorageError
            It cannot be removed.
        """
        path = Path(self._folders.path(place))
        with storing(path):
            path.unlink(missing_ok=True)

    def flush(self) -> None:
        """Do nothing: a chunk is readable once it is put."""


class ChunkFolders:
    """The folders that the places of chunks or shards stand for: `c/0/1/0/0/0`, without `c` in zarr format 2."""

    def __init__(self, folder: Path, array: LevelArray) -> None:
        self._folder = str(folder)
        self._chunks = f"{folder}/{array.format.chunks}"
        self._made: set[str] = set()

    def path(self, place: Shape) -> str:
        """Return the path of the file at a place."""
        t, c, z, y, x = place
        # Strings: a plate has hundreds of thousands of these, and Path objects cost several times as much.
        return f"{self._chunks}{t}/{c}/{z}/{y}/{x}"

    def make(self, place: Shape) -> None:
        """Make the folders of the file at a place, each once: asking again costs as much as making."""
        t, c, z, y, _ = place
        innermost = f"{self._chunks}{t}/{c}/{z}/{y}"
        if innermost in self._made:
            return
        name = self._chunks.rstrip("/")
        for part in ("", f"/{t}", f"/{c}", f"/{z}", f"/{y}"):
            name += part
            if name not in self._made and name != self._folder:
                _make_folder(name)
            self._made.add(name)


def _make_folder(name: str) -> None:
    try:
        os.mkdir(name)  # noqa: PTH102  strings, as above
    except FileExistsError:
        if not os.path.isdir(name):  # noqa: PTH112  as above
            raise


def write_all(descriptor: int, content: Any) -> None:
    """Write a buffer whole: one call of the system may write less than it is given."""
    left = memoryview(content).cast("B")
    while left:
        left = left[os.write(descriptor, left) :]
