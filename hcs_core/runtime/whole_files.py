"""Files that are there whole or not at all, whenever somebody looks and however a run ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hcs_core.errors import StorageError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path at which to write a file; when the block ends well, it lies at its own.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    # Hidden, so that nobody lists it; its suffix stays at the end, as a library may go by it.
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror or error}): free space, or check permissions."
        ) from error
    finally:
        # Where nothing can be written, nothing can be removed either, and nothing is left.
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, a text as UTF-8 with its line ends as they are; its folder is made if it is not there.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    with whole_file(path) as unfinished:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
