"""Where things lie in a store, and how its documents are put there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from hcs_core import MOSAIC, StorageError, parse_well, row_name

MOSAIC_NAME = "stitched"
"""The folder of a well's mosaic."""


def well_path(well: str) -> str:
    """Return a well's path in the store: `B2` lies at `B/02`."""
    row, column = parse_well(well)
    return f"{row_name(row)}/{column_name(column)}"


def column_name(column: int) -> str:
    """Return the name of a 0-based column: two digits at least."""
    return f"{column + 1:02d}"


def image_name(site: int) -> str:
    """Return the folder of a site's image in its well's: site 1 is image `0`, the mosaic is `stitched`."""
    return MOSAIC_NAME if site == MOSAIC else str(site - 1)


@contextlib.contextmanager
def storing(path: Path | str) -> Iterator[None]:
    """Turn an error of the operating system into a StorageError that names the path and what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise StorageError(
            f"{where} cannot be written ({error.strerror or error}): see to space and permissions there, or choose "
            "another output folder."
        ) from error


def replace_document(target: Path, document: bytes) -> None:
    """Write a document so that a reader sees the old one or the new one, whole, at any moment."""
    # One name for all attempts: what a killed program leaves is overwritten by the next.
    partial = target.with_name(f"{target.name}.partial")
    with storing(target):
        partial.write_bytes(document)
        os.replace(partial, target)  # noqa: PTH105  the twin of the line above; Path.replace returns a value
