"""The table of positions: where each site of a well lies in its mosaic, as a table and as a CSV file."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hcs_core.arrays.csv_text import csv_text
from hcs_core.arrays.table import Table
from hcs_core.errors import PlateError

COLUMNS = ("Metadata_Plate", "Metadata_Well", "Metadata_Site", "y_px", "x_px", "confidence")


def positions_table(
    plate: str,
    well: str,
    sites: Sequence[int],
    yx: npt.NDArray[np.float64],
    confidence: npt.NDArray[np.float64],
) -> Table:
    """Return the positions of a well's sites as a table with `COLUMNS`; `yx` is (n, 2), in pixels of the mosaic."""
    columns = {
        "Metadata_Site": np.asarray(sites, np.int64),
        "y_px": yx[:, 0],
        "x_px": yx[:, 1],
        "confidence": confidence,
    }
    return Table(columns).beside(Metadata_Plate=plate, Metadata_Well=well)


def positions_csv(table: Table) -> str:
    """Return the text of the file; numbers are written so that they come back as they are."""
    return csv_text(COLUMNS, zip(*(table[name].tolist() for name in COLUMNS), strict=True))


def read_positions(path: Path) -> Table:
    """Return the table of a file of positions; other columns than `COLUMNS` are left out.

    Raises
    ------
    PlateError
        It is not there or no such table: a column is missing, a number is none, a site stands there twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlateError(f"{path} cannot be read as a table of positions ({error}): give a CSV file.") from error
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing or not rows:
        raise PlateError(
            f"{path} is no table of positions: {'it lacks ' + ', '.join(missing) if missing else 'it has no row'}; "
            f"it needs the columns {', '.join(COLUMNS)}."
        )
    table = Table({
        "Metadata_Plate": [row["Metadata_Plate"] for row in rows],
        "Metadata_Well": [row["Metadata_Well"] for row in rows],
        "Metadata_Site": [int(_number(path, row, "Metadata_Site")) for row in rows],
        **{name: [_number(path, row, name) for row in rows] for name in COLUMNS[3:]},
    })  # fmt: skip
    places = Counter(zip(table["Metadata_Well"].tolist(), table["Metadata_Site"].tolist(), strict=True))
    for (well, site), rows_of_it in places.items():
        if rows_of_it > 1:
            raise PlateError(f"{path} has site {site} of {well} {rows_of_it} times: leave one row of it.")
    return table


def _number(path: Path, row: Mapping[str, str | None], name: str) -> float:
    text = row[name] or ""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (name == "Metadata_Site" and number != int(number)):
        what = "a whole number" if name == "Metadata_Site" else "a number"
        raise PlateError(f"{path}: {name} of a row of {row['Metadata_Well']} is {text!r}; expected {what}.")
    return number
