"""Values with which a kernel can be called by one that knows its signature only: to check it, or to time it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.signature import Signature


def arguments(signature: Signature, given: Mapping[str, Any], shape: tuple[int, int]) -> dict[str, Any]:
    """Return a value for every parameter: the one that is given, its default, or one that its limits allow.

    An image, which a profile is, has the rows and columns of `shape` and rises from 0.7 in a corner to 1.5.
    """
    return {
        item.name: given[item.name] if item.name in given else _allowed(item, shape) for item in signature.parameters
    }


def _allowed(item: Parameter, shape: tuple[int, int]) -> Any:
    if item.kind == "image":
        # Profiles, which are what images are given for, are about 1.
        return np.add.outer(np.linspace(0.0, 0.4, shape[0]), np.linspace(0.7, 1.1, shape[1])).astype(np.float32)
    if not item.required:
        return item.default
    if item.kind == "bool":
        return False
    if item.kind == "str":
        return item.choices[0] if item.choices else "text"
    lowest = item.minimum if item.minimum is not None else 1 if item.above is None else item.above + 1
    number = lowest if item.maximum is None else min(lowest, item.maximum)
    return {"int": int, "float": float}[item.kind](number) if item.kind != "floats" else (float(number),)
