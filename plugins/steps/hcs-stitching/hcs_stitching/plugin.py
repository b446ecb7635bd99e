"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterator

from hcs_core import Parameter, StitcherSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_stitchers() -> Iterator[StitcherSpec]:
    """Declare the stitcher `plain`."""
    yield StitcherSpec(
        name="plain",
        target="hcs_stitching.plain:PlainStitcher",
        fusion=(
            Parameter(
                name="overlap",
                kind="str",
                default="first",
                choices=("first", "last"),
                description="which of several tiles a pixel shows: that of the lowest site, or of the highest",
            ),
        ),
        summary="tiles at their stage positions, to whole pixels; no image is compared",
    )
