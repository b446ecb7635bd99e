"""Which stitcher is meant where nobody names one."""

from __future__ import annotations

from hcs_core.plugins.registry import Registry
from hcs_core.plugins.specs import StitcherSpec

PLAIN = "plain"
"""What is asked for, and named in the error, where no stitcher is installed."""


def chosen_stitcher(stitchers: Registry[StitcherSpec], name: str | None = None) -> StitcherSpec:
    """Return the stitcher of a name; without one the only one that is installed, of several the first to use pixels.

    A stitcher that looks at the images knows more than one that trusts the stage: who installs it means it. Of
    several that do, and of several that do not, it is the first by name.

    Raises
    ------
    UnknownNameError
        None of that name is installed, or none at all.
    """
    if name is None:
        for spec in sorted(stitchers, key=lambda spec: not spec.needs_pixels):
            return spec
    return stitchers.get(PLAIN if name is None else name)
