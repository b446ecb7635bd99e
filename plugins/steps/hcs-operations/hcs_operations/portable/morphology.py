"""Grey-level morphology, for any array library that follows the array API."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace, device

from hcs_operations.portable.dtypes import limits, name_of


def white_tophat(image: Any, *, radius: int = 25, dtype: str = "") -> Any:
    """Take away from planes what is larger than a square: the planes less their opening.

    The square is `2 * radius + 1` px wide. A minimum or maximum at the border is that of the part of the square that
    lies on the plane. The time grows with the logarithm of the radius. Beside its input and its output it holds up to
    four planes, each `2 * radius` px wider or higher.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32 without NaN, or what its library holds them in.
    radius
        Half the side of the square in px, a whole number of at least 1.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        An array of the same shape and dtype, on the same device.

    Notes
    -----
    Minima and maxima of lines by doubling: of the widths 1, 2, 4, ..., each from the one before, and of the width in
    question from two of the largest power of 2 in it that overlap (M. van Herk, "A fast algorithm for local minimum
    and maximum filters on rectangular and octagonal kernels", Pattern Recognition Letters 13 (1992) 517-521,
    doi:10.1016/0167-8655(92)90069-C, for rows and columns in turn).

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.morphology import white_tophat
    >>> white_tophat(np.array([[5, 5, 9, 5, 5, 5, 8, 8, 8, 8]], np.uint8), radius=1)
    array([[0, 0, 4, 0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    xp = array_namespace(image)
    # What no pixel is above or below, so that it is never chosen beside one.
    lowest, highest = limits(dtype or name_of(image.dtype)) or (-math.inf, math.inf)
    opened = image
    for pick, beyond in ((xp.minimum, highest), (xp.maximum, lowest)):
        for axis in (-2, -1):
            opened = _extremes(opened, xp, pick, beyond, min(radius, image.shape[axis] - 1), axis)
    return image - opened


def _extremes(image: Any, xp: Any, pick: Callable[[Any, Any], Any], beyond: float, reach: int, axis: int) -> Any:
    """Return the minimum or maximum of each pixel and those up to `reach` before and behind it along an axis."""
    length, wanted = image.shape[axis], 2 * reach + 1
    shape = [*image.shape]
    shape[axis] = reach
    border = xp.full(tuple(shape), beyond, dtype=image.dtype, device=device(image))
    found = xp.concat((border, image, border), axis=axis)
    width = 1
    while 2 * width <= wanted:
        found = pick(found[_along(axis, 0, -width)], found[_along(axis, width, None)])
        width *= 2
    return pick(found[_along(axis, 0, length)], found[_along(axis, wanted - width, wanted - width + length)])


def _along(axis: int, start: int, stop: int | None) -> tuple[Any, ...]:
    """Return the index of a part of an image along y or x, its last two axes."""
    part = slice(start, stop)
    return (..., part) if axis == -1 else (..., part, slice(None))
