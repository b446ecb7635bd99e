"""The versions of OME-Zarr that are written, and how each lies on its format of zarr.

Format 3 keeps a node's metadata in one `zarr.json`, format 2 in `.zarray` or `.zgroup`, with attributes in a
`.zattrs` beside it (https://zarr-specs.readthedocs.io, https://ngff.openmicroscopy.org/0.4, /0.5).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from hcs_core import StorageError
from hcs_zarr.places import replace_document, storing

Json = dict[str, Any]


@attrs.frozen(kw_only=True)
class StoreFormat:
    """One version of OME-Zarr on its format of zarr.

    Attributes
    ----------
    version
        Of OME-Zarr.
    zarr_format
        2 or 3.
    array, group
        The names of the documents that make a folder an array, or a group.
    attributes
        The name of the document that holds the OME metadata of a group.
    chunks
        What stands before a chunk's place in its path within the array.
    """

    version: str
    zarr_format: int
    array: str
    group: str
    attributes: str
    chunks: str

    def is_group(self, folder: Path) -> bool:
        """Whether a folder has been made a group."""
        return (folder / self.group).is_file()

    def write_group(self, folder: Path, ome: Mapping[str, Any]) -> None:
        """Make a folder a group with OME metadata, or give it new ones; readers see the old or the new ones, whole.

        Raises
        ------
        StorageError
            A document cannot be written.
        """
        self.write_text(folder, self.text(ome))

    def text(self, ome: Mapping[str, Any]) -> str:
        """Return the text of the document that holds a group's OME metadata."""
        if self.attributes == self.group:
            return json.dumps({"attributes": {"ome": ome}, "zarr_format": 3, "node_type": "group"})
        return json.dumps(ome)

    def write_text(self, folder: Path, text: str) -> None:
        """Do what `write_group` does, with the text of the document.

        Raises
        ------
        StorageError
            A document cannot be written.
        """
        if self.attributes != self.group:
            self.ensure_group(folder)
        replace_document(folder / self.attributes, text.encode())

    def ensure_group(self, folder: Path) -> None:
        """Make a folder a group without metadata, unless it is one.

        Raises
        ------
        StorageError
            The document cannot be written.
        """
        if self.is_group(folder):
            return
        plain: Json = {"zarr_format": 2}
        if self.zarr_format == 3:  # noqa: PLR2004  a format, not a quantity
            plain = {"attributes": {}, "zarr_format": 3, "node_type": "group"}
        replace_document(folder / self.group, json.dumps(plain).encode())

    def remove_group(self, folder: Path) -> None:
        """Make a folder a plain one again, its OME metadata first.

        Raises
        ------
        StorageError
            A document cannot be removed.
        """
        for name in (self.attributes, self.group):
            with storing(folder / name):
                (folder / name).unlink(missing_ok=True)

    def read_ome(self, folder: Path) -> Json:
        """Return the OME metadata of a group; empty where there is no document, or nothing of OME in it.

        Raises
        ------
        StorageError
            There is a document that cannot be read.
        """
        path = folder / self.attributes
        try:
            document = json.loads(path.read_bytes())
            if self.attributes == self.group:
                document = document.get("attributes", {}).get("ome", {})
            ome: Json = {**document}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise StorageError(
                f"{path} cannot be read ({error}): remove the store, or write to another one."
            ) from error
        return ome


OME_ZARR_0_4 = StoreFormat(
    version="0.4", zarr_format=2, array=".zarray", group=".zgroup", attributes=".zattrs", chunks=""
)
OME_ZARR_0_5 = StoreFormat(
    version="0.5", zarr_format=3, array="zarr.json", group="zarr.json", attributes="zarr.json", chunks="c/"
)

FORMATS = {each.version: each for each in (OME_ZARR_0_4, OME_ZARR_0_5)}
"""By the version of OME-Zarr."""


def format_of(folder: Path) -> StoreFormat | None:
    """Return the format of the group or array in a folder; `None` where there is neither."""
    for each in FORMATS.values():
        if any((folder / name).is_file() for name in (each.array, each.group, each.attributes)):
            return each
    return None
