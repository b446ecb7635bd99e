"""Synthetic plates of known truth, in any microscope's layout, for tests and demonstrations.

Names are imported on first use: `hcs_synthetic.plugin` must stay light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcs_synthetic.camera import Camera as Camera
    from hcs_synthetic.cells import Cells as Cells
    from hcs_synthetic.damage import DamagedPlane as DamagedPlane, Effect as Effect
    from hcs_synthetic.faults import Fault as Fault, FaultKind as FaultKind
    from hcs_synthetic.making import make_plate as make_plate
    from hcs_synthetic.plate import SyntheticPlate as SyntheticPlate

_HOMES = {
    "Camera": "hcs_synthetic.camera",
    "Cells": "hcs_synthetic.cells",
    "DamagedPlane": "hcs_synthetic.damage",
    "Effect": "hcs_synthetic.damage",
    "Fault": "hcs_synthetic.faults",
    "FaultKind": "hcs_synthetic.faults",
    "SyntheticPlate": "hcs_synthetic.plate",
    "make_plate": "hcs_synthetic.making",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(_HOMES)
