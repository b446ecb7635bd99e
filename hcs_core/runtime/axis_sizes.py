"""How many planes a block has along each axis."""

from __future__ import annotations

from hcs_core.compiler.plan import ImagePlan


def axis_sizes(image: ImagePlan, sites: int) -> dict[str, int]:
    """Return the planes along s, t, c and z that an image of the plan has; gaps in t and z are not counted."""
    return {"s": sites, "t": len(image.timepoints), "c": len(image.channels), "z": len(image.z_indexes)}
