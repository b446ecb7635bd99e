"""What the steps `positions` and `stitch` take: their own parameters, and those of the stitcher that works."""

from __future__ import annotations

import attrs

from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.signature import Signature
from hcs_core.plugins.specs import StitcherSpec

POSITIONS = "positions"
STITCH = "stitch"
POSITIONS_FILE = "positions_file"

SUMMARIES = {
    POSITIONS: "finds where the sites of a well lie, and leaves images as they are",
    STITCH: "fuses the sites of a well into one image",
}
"""What each step does, in a line."""

OUT_AXES = {POSITIONS: "syx", STITCH: "yx"}
"""The axes of what each step leaves."""

CHANNEL = Parameter(name="channel", kind="str", description="the channel that is looked at; the first, if not said")
"""A channel's name, or its number."""

_STITCHER = Parameter(
    name="stitcher", kind="str", description="which stitcher; the one that is installed, if not said"
)
_OWN = {
    POSITIONS: (CHANNEL, _STITCHER),
    STITCH: (
        Parameter(name=POSITIONS_FILE, kind="str", description="a table of positions, in place of finding them"),
        _STITCHER,
    ),
}


def stitching_signature(step: str, spec: StitcherSpec) -> Signature:
    """Return what a step takes where a stitcher does it; its `out` keeps the sites, as that of a kernel has to."""
    parameters = spec.positions if step == POSITIONS else spec.fusion
    return Signature(axes="syx", out="syx", parameters=(*_OWN[step], *parameters))


def stitching_signatures(plugins: PluginManager) -> dict[str, Signature]:
    """Return what both steps can be given: all that some installed stitcher takes; none where none is installed."""
    specs = list(plugins.stitchers)
    return {step: _every(step, specs) for step in _OWN if specs}


def _every(step: str, specs: list[StitcherSpec]) -> Signature:
    found: dict[str, Parameter] = {}
    for spec in specs:
        for item in stitching_signature(step, spec).parameters:
            # What one of them needs, others need not.
            found.setdefault(item.name, attrs.evolve(item, required=item.required and len(specs) == 1))
    return Signature(axes="syx", out="syx", parameters=tuple(found.values()))
