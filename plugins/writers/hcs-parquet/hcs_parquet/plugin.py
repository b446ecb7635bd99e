"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import WriterSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_writers() -> Iterable[WriterSpec]:
    """Declare the writer `parquet`."""
    yield WriterSpec(
        name="parquet",
        kind="table",
        target="hcs_parquet.tables:write",
        suffix=".parquet",
        summary="Apache Parquet: typed columns, packed with zstd",
    )
