"""Writing tables as Apache Parquet, a row group at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hcs_core import Table

ROWS_TOGETHER = 65_536
"""Rows that a group has at least: many small groups would make a large file that is slow to read."""


def write(tables: Iterable[Table], path: Path) -> None:
    """Write the rows of tables, one after the other, into one Parquet file.

    Parameters
    ----------
    tables
        At least one, all with the same columns and dtypes.
    path
        The file; one that is there is replaced.

    Raises
    ------
    OSError
        It cannot be written.
    """
    groups = _groups(tables)
    first = next(groups)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for group in groups:
            writer.write_table(group)


def _groups(tables: Iterable[Table]) -> Iterator[pa.Table]:
    """Yield the rows of tables in groups; at least one, which may be empty."""
    waiting: list[pa.Table] = []
    written = False
    for table in tables:
        waiting.append(_arrow(table))
        if sum(part.num_rows for part in waiting) >= ROWS_TOGETHER:
            yield pa.concat_tables(waiting)
            waiting, written = [], True
    if waiting and (not written or any(part.num_rows for part in waiting)):
        yield pa.concat_tables(waiting)


def _arrow(table: Table) -> pa.Table:
    arrays = {
        # Not every reader of Parquet knows its floats of 16 bits.
        name: pa.array(column.astype(np.float32) if column.dtype == np.float16 else column, from_pandas=False)
        for name, column in table.columns.items()
    }
    return pa.table(arrays)
