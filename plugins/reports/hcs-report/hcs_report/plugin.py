"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import WriterSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_writers() -> Iterable[WriterSpec]:
    """Declare the writer `plate_picture`."""
    yield WriterSpec(
        name="plate_picture",
        kind="picture",
        target="hcs_report.plate_picture:write",
        suffix=".png",
        summary="A picture of a plate: a thumbnail of each well and channel, and what is absent",
    )
