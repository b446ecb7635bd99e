"""Soft ellipses on a pixel grid.

A soft ellipse has the profile `(1 - u)^2 (1 + 2 (1 - s) u)` for `u < 1`, where `u` is the squared distance from
its centre in units of its semi-axes and `s`, from 0 to 1, its softness: at 0 this is the smoothstep
`1 - 3 u^2 + 2 u^3` (a plateau with a soft edge), at 1 a bump. It is continuous with its slope, ends at the
semi-axes, and its integral is `pi a b (3 - s) / 6`, exactly.

Only sums, products, quotients and roots are used, which every machine rounds alike, and centres are multiples of
`1 / SUBPIXELS`: an ellipse has the very same pixels in two images that lie a whole number of pixels apart.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
import numpy.typing as npt

SUBPIXELS = 1024
"""Centres are rounded to this part of a pixel, so that they are exact in float32 within a pixel."""

_BOX_STEP = 4
_BATCH_PIXELS = 1 << 16

Column = npt.NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False)
class SoftEllipses:
    """Soft ellipses in columns of one length, lengths in pixels.

    Attributes
    ----------
    y, x
        The centres.
    along, across
        The semi-axes.
    cosine, sine
        The direction of the first semi-axis, from x towards y.
    softness
        From 0 (a plateau) to 1 (a bump).
    light
        The integral: the sum of the pixels, up to sampling. May be negative.
    """

    y: Column
    x: Column
    along: Column
    across: Column
    cosine: Column
    sine: Column
    softness: Column
    light: Column

    def select(self, chosen: npt.NDArray[np.bool_]) -> SoftEllipses:
        """Return the ellipses where the mask is true, in their order."""
        return SoftEllipses(**{field.name: getattr(self, field.name)[chosen] for field in attrs.fields(SoftEllipses)})


def light_of(height: Column, along: Column, across: Column, softness: Column | float) -> Column:
    """Return the integral of soft ellipses of a height."""
    return height * along * across * (3.0 - softness) * (math.pi / 6.0)


def snap(pixels: Column) -> Column:
    """Round lengths in pixels to the grid of `SUBPIXELS`."""
    rounded: Column = np.rint(pixels * SUBPIXELS) / SUBPIXELS
    return rounded


def add_ellipses(image: npt.NDArray[np.float32], ellipses: SoftEllipses) -> None:
    """Add soft ellipses to a (y, x) float32 image in place; pixel (0, 0) has its centre at (0, 0).

    Each is computed within its bounding box only. The order of the sums at a pixel depends on the ellipses, not
    on the image, so that overlapping images agree to the last bit.
    """
    longest = np.maximum(ellipses.along, ellipses.across)
    half = (np.ceil(longest / _BOX_STEP) * _BOX_STEP).astype(np.int64)
    rows, columns = image.shape
    seen = (
        (ellipses.y + longest > -1)
        & (ellipses.y - longest < rows)
        & (ellipses.x + longest > -1)
        & (ellipses.x - longest < columns)
    )
    for size in np.unique(half[seen]).tolist():
        group = ellipses.select(seen & (half == size))
        batch = max(1, _BATCH_PIXELS // (2 * size + 1) ** 2)
        for first in range(0, len(group.y), batch):
            part = np.zeros(len(group.y), np.bool_)
            part[first : first + batch] = True
            _add_batch(image, group.select(part), size)


def _add_batch(image: npt.NDArray[np.float32], ellipses: SoftEllipses, half: int) -> None:
    """Add ellipses that all fit into boxes of `2 half + 1` pixels."""
    whole_y, whole_x = np.floor(ellipses.y), np.floor(ellipses.x)
    tiles = _tiles(ellipses, ellipses.y - whole_y, ellipses.x - whole_x, half)
    rows, columns = image.shape
    tops = (whole_y.astype(np.int64) - half).tolist()
    lefts = (whole_x.astype(np.int64) - half).tolist()
    side = tiles.shape[1]
    for tile, top, left in zip(tiles, tops, lefts, strict=True):
        upper, lower = max(top, 0), min(top + side, rows)
        first, last = max(left, 0), min(left + side, columns)
        if upper < lower and first < last:
            image[upper:lower, first:last] += tile[upper - top : lower - top, first - left : last - left]


def _tiles(ellipses: SoftEllipses, part_y: Column, part_x: Column, half: int) -> npt.NDArray[np.float32]:
    """Return the (ellipse, y, x) float32 pixels of each, its centre at (`half + part_y`, `half + part_x`)."""
    per_along, per_across = 1.0 / ellipses.along**2, 1.0 / ellipses.across**2
    height = ellipses.light / light_of(
        np.ones_like(ellipses.light), ellipses.along, ellipses.across, ellipses.softness
    )
    plateau = 2.0 * (1.0 - ellipses.softness)

    def narrow(column: Column) -> npt.NDArray[np.float32]:
        return column.astype(np.float32)[:, None]

    in_yy = narrow(ellipses.sine**2 * per_along + ellipses.cosine**2 * per_across)
    in_xx = narrow(ellipses.cosine**2 * per_along + ellipses.sine**2 * per_across)
    in_yx = narrow(2.0 * ellipses.cosine * ellipses.sine * (per_along - per_across))
    steps = np.arange(-half, half + 1, dtype=np.float32)
    y, x = steps - narrow(part_y), steps - narrow(part_x)
    inside = y[:, :, None] * (in_yx * x)[:, None, :]
    inside += (in_yy * y * y)[:, :, None]
    inside += (in_xx * x * x)[:, None, :]
    np.subtract(np.float32(1.0), inside, out=inside)
    np.maximum(inside, np.float32(0.0), out=inside)
    # With v = 1 - u the profile is v^2 ((1 + k) - k v), k = 2 (1 - softness).
    tiles: npt.NDArray[np.float32] = inside * narrow(-height * plateau)[:, :, None]
    tiles += narrow(height * (1.0 + plateau))[:, :, None]
    inside *= inside
    tiles *= inside
    return tiles
