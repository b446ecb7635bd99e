"""Where things lie in a store, and how its documents are written."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hcs_core import StorageError, parse_well, row_name

DOCUMENT = "zarr.json"
"""The name of the document that makes a folder an array or a group."""


def well_path(well: str) -> str:
    """Return a well's path in the store: `B2` lies at `B/02`."""
    row, column = parse_well(well)
    return f"{row_name(row)}/{column_name(column)}"


def column_name(column: int) -> str:
    """Return the name of a 0-based column: two digits at least."""
    return f"{column + 1:02d}"


def image_name(site: int) -> str:
    """Return the folder of a site's image in its well's: site 1 is image `0`."""
    return str(site - 1)


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


def group_document(ome: Mapping[str, Any] | None = None) -> bytes:
    """Return the `zarr.json` of a group, with OME metadata where there is any."""
    attributes = {} if ome is None else {"ome": ome}
    return json.dumps({"attributes": attributes, "zarr_format": 3, "node_type": "group"}).encode()


def replace_document(folder: Path, document: bytes) -> None:
    """Write a folder's `zarr.json` so that a reader sees the old one or the new one, whole, at any moment."""
    target = folder / DOCUMENT
    # One name for all attempts: what a killed program leaves is overwritten by the next.
    partial = folder / f"{DOCUMENT}.partial"
    with storing(target):
        partial.write_bytes(document)
        os.replace(partial, target)  # noqa: PTH105  the twin of the line above; Path.replace returns a value


def read_ome(folder: Path) -> dict[str, Any]:
    """Return the OME metadata of a group; empty where there is no document, or nothing of OME in it.

    Raises
    ------
    StorageError
        There is a document that cannot be read.
    """
    path = folder / DOCUMENT
    try:
        document = json.loads(path.read_bytes())
        ome: dict[str, Any] = document.get("attributes", {}).get("ome", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise StorageError(f"{path} cannot be read ({error}): remove the store, or write to another one.") from error
    return ome
