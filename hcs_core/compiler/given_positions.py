"""Positions of sites that a pipeline gives by the path of a file: read once, before the compiler is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np

from hcs_core.arrays.positions_table import COLUMNS, read_positions
from hcs_core.arrays.table import Table
from hcs_core.errors import PlateError


@attrs.frozen
class GivenPositions:
    """A table of positions; `digest` stands for its content, `source` is the path as the pipeline writes it."""

    digest: str
    table: Table = attrs.field(eq=False, repr=False)
    source: str = attrs.field(default="", eq=False, repr=False)

    def of(self, well: str) -> Mapping[int, tuple[float, float]]:
        """Return (y, x) in pixels of the mosaic of each site of a well that the table has."""
        rows = np.flatnonzero(self.table["Metadata_Well"] == well)
        columns = (self.table[name][rows].tolist() for name in ("Metadata_Site", "y_px", "x_px"))
        return {site: (y, x) for site, y, x in zip(*columns, strict=True)}

    def confidence(self, well: str) -> Mapping[int, float]:
        """Return the confidence of each site of a well that the table has."""
        rows = np.flatnonzero(self.table["Metadata_Well"] == well)
        columns = (self.table[name][rows].tolist() for name in ("Metadata_Site", "confidence"))
        return dict(zip(*columns, strict=True))


def read_given_positions(path: Path, source: str) -> GivenPositions | str:
    """Return what a file of positions holds; a text says why it cannot be read."""
    try:
        table = read_positions(path)
    except PlateError as error:
        return str(error)
    content = repr([table[name].tolist() for name in COLUMNS])
    return GivenPositions(digest=hashlib.sha256(content.encode()).hexdigest(), table=table, source=source)
