"""The writers that the core brings: tables as CSV, data as JSON, arrays as numpy's own files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from hcs_core.arrays.image_artifact import ImageArtifact
from hcs_core.arrays.table import Table


def write_csv(tables: Iterable[Table], path: Path) -> None:
    """Write the rows of tables, one after the other, as CSV (RFC 4180) in UTF-8, with a row of names first.

    A number is written as Python writes it: reading it as a float of 64 bits gives exactly the value. A number that
    is none is `nan`; texts are quoted where they have to be.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, table in enumerate(tables):
            if number == 0:
                writer.writerow(table.names)
            writer.writerows(zip(*(column.tolist() for column in table.columns.values()), strict=True))


def write_json(document: Any, path: Path) -> None:
    """Write plain data as JSON in UTF-8.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_npy(image: ImageArtifact, path: Path) -> None:
    """Write an image's array as numpy's own file; what numpy reads back is the same array.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with path.open("wb") as file:
        np.save(file, image.pixels, allow_pickle=False)
