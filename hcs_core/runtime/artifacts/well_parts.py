"""What finished wells measured, a file for each well below `.hcs/`: what the plate's tables are put together from.

A file is numpy's `.npz` without pickles, there whole or not at all: an index as JSON, and an array for each column.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from hcs_core.arrays.table import Table
from hcs_core.errors import StorageError
from hcs_core.runtime.journal import FOLDER
from hcs_core.runtime.whole_files import write_whole

PARTS = "tables"
_INDEX = "index"


@attrs.frozen(kw_only=True)
class PartIndex:
    """What a well's file holds: the columns of each table, and the names of JSON."""

    tables: Mapping[str, tuple[str, ...]]
    documents: tuple[str, ...]


class WellParts:
    """The files of an output's wells."""

    def __init__(self, output: Path) -> None:
        self._folder = output / FOLDER / PARTS

    def wells(self) -> frozenset[str]:
        """Return the wells that have a file."""
        try:
            return frozenset(path.stem for path in self._folder.glob("[!.]*.npz"))
        except OSError as error:
            raise StorageError(f"{self._folder} cannot be read ({error.strerror}): check its permissions.") from error

    def save(self, well: str, tables: Mapping[str, Table], documents: Mapping[str, Any]) -> None:
        """Keep what a well measured, in place of what it had.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        index = {"tables": {name: table.names for name, table in tables.items()}, "documents": list(documents)}
        arrays = {_INDEX: _packed(index)}
        for place, table in enumerate(tables.values()):
            arrays |= {f"{place}.{number}": column for number, column in enumerate(table.columns.values())}
        arrays |= {f"json.{place}": _packed(document) for place, document in enumerate(documents.values())}
        content = io.BytesIO()
        np.savez(content, **arrays)
        write_whole(self._path(well), content.getvalue())

    def remove(self, well: str) -> None:
        """Forget what a well measured."""
        self._path(well).unlink(missing_ok=True)

    def index(self, well: str) -> PartIndex:
        """Return what the file of a well holds.

        Raises
        ------
        StorageError
            It cannot be read.
        """
        found = _unpacked(self._arrays(well, [_INDEX])[_INDEX])
        return PartIndex(
            tables={name: tuple(columns) for name, columns in found["tables"].items()},
            documents=tuple(found["documents"]),
        )

    def table(self, well: str, name: str) -> Table | None:
        """Return a well's table of that name, or `None` where it has none.

        Raises
        ------
        StorageError
            The file cannot be read.
        """
        index = self.index(well)
        if name not in index.tables:
            return None
        place, columns = list(index.tables).index(name), index.tables[name]
        keys = [f"{place}.{number}" for number in range(len(columns))]
        arrays = self._arrays(well, keys)
        return Table({column: arrays[key] for column, key in zip(columns, keys, strict=True)})

    def document(self, well: str, name: str) -> Any:
        """Return a well's JSON of that name, or `None` where it has none.

        Raises
        ------
        StorageError
            The file cannot be read.
        """
        documents = self.index(well).documents
        if name not in documents:
            return None
        key = f"json.{documents.index(name)}"
        return _unpacked(self._arrays(well, [key])[key])

    def _path(self, well: str) -> Path:
        return self._folder / f"{well}.npz"

    def _arrays(self, well: str, keys: Sequence[str]) -> dict[str, Any]:
        path = self._path(well)
        try:
            # Opened here: numpy leaves a file open that is no archive.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {key: archive[key] for key in keys}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise StorageError(
                f"{path} cannot be read ({error}): remove the well's file and run again, or begin anew with --fresh."
            ) from error


def _packed(value: Any) -> Any:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _unpacked(array: Any) -> Any:
    return json.loads(array.tobytes())
