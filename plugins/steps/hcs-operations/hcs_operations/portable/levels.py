"""Grey levels in float32 that have more digits than float32, and the range between two of them.

Not every array library has float64. A level that lies between two pixels is therefore kept in two parts: a number
that a pixel can have, and how far the level is from it. A pixel less that number is exact where it matters, near the
level, so that what is left is known to a few 2**-24 of itself however close two levels are.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np

LARGEST_ANCHOR = 1 << 29
"""So that pixels less an anchor, and one anchor less another, stay within int32."""

LARGEST_FLOAT = float(np.finfo(np.float32).max)


@attrs.frozen(kw_only=True, eq=False)
class Level:
    """A grey level, `anchor + rest`, or one for each image: arrays of shape `(..., 1, 1)`.

    `anchor` has the dtype that pixels are compared in, int32 or a float; `rest` is a float.
    """

    anchor: Any
    rest: Any


def working(image: Any, xp: Any) -> Any:
    """Return an image in the dtype in which pixels are compared with levels: int32, or the float that it has."""
    return image if xp.isdtype(image.dtype, "real floating") else xp.astype(image, xp.int32)


def given_level(value: float, pixels: Any, xp: Any) -> Level:
    """Return a level that is a number, for pixels as `working` returns them."""
    floats = xp.isdtype(pixels.dtype, "real floating")
    largest = LARGEST_FLOAT if floats else LARGEST_ANCHOR
    within = min(max(value, -largest), largest)
    anchor = float(np.float32(within)) if floats else math.floor(within)
    kept = xp.zeros_like(pixels[..., :1, :1])
    return Level(anchor=kept + anchor, rest=as_float(kept, xp) + (value - anchor))


def pixel_level(pixel: Any, xp: Any) -> Level:
    """Return a level that is a pixel of each image, of shape `(..., 1, 1)`."""
    return Level(anchor=pixel, rest=xp.zeros_like(as_float(pixel, xp)))


def as_float(values: Any, xp: Any) -> Any:
    """Return numbers as float32; floats as they are."""
    return values if xp.isdtype(values.dtype, "real floating") else xp.astype(values, xp.float32)


def above(pixels: Any, level: Level, xp: Any) -> Any:
    """Return by how much pixels are above a level."""
    return as_float(pixels - level.anchor, xp) - level.rest


def distance(low: Level, high: Level, xp: Any) -> Any:
    """Return by how much one level is above another."""
    return as_float(high.anchor - low.anchor, xp) + (high.rest - low.rest)


def place(pixels: Any, low: Level, span: Any, xp: Any) -> Any:
    """Return where pixels lie on the way from a level to what is `span` above it, from 0 to 1; NaN stays NaN.

    A span of 0 is taken as 1.
    """
    return xp.clip(above(pixels, low, xp) / xp.where(span == 0, xp.ones_like(span), span), 0.0, 1.0)
