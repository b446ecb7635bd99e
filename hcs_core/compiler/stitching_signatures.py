"""What the steps `positions` and `stitch` take: their own parameters, and those of the stitcher that works."""

from __future__ import annotations

from hcs_core.errors import UnknownNameError
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.signature import Signature
from hcs_core.plugins.specs import StitcherSpec
from hcs_core.plugins.stitcher_choice import chosen_stitcher

POSITIONS = "positions"
STITCH = "stitch"
POSITIONS_FILE = "positions_file"

SUMMARIES = {
    POSITIONS: "finds where the sites of a well lie, and leaves images as they are",
    STITCH: "fuses the sites of a well into one image",
}
"""What each step does, in a line."""

_STITCHER = Parameter(
    name="stitcher", kind="str", description="which stitcher; the one that is installed, if not said"
)
_OWN = {
    POSITIONS: (
        Parameter(
            name="channel", kind="str", description="name or number of the channel that is looked at; the first"
        ),
        _STITCHER,
    ),
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
    """Return what both steps take with the stitcher that is chosen where none is named; none without a stitcher."""
    try:
        spec = chosen_stitcher(plugins.stitchers)
    except UnknownNameError:
        return {}
    return {step: stitching_signature(step, spec) for step in _OWN}
