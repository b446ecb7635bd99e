"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import WriterSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_writers() -> Iterable[WriterSpec]:
    """Declare the writers of pictures."""
    yield WriterSpec(
        name="plate_picture",
        kind="picture",
        target="hcs_report.plate_picture:write",
        suffix=".png",
        summary="A picture of a plate: a thumbnail of each well and channel, and what is absent",
    )
    yield WriterSpec(
        name="estimate_picture",
        kind="picture",
        target="hcs_report.estimate_picture:write",
        suffix=".png",
        summary="A picture of what was estimated of a plate: a plane before and after, and the profile",
    )
