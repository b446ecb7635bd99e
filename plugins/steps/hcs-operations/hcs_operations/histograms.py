"""Counting the pixels of a plane by value, and finding its extremes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_operations.strips import row_strips

COUNTED_PIXELS = 1 << 24
"""Pixels counted at a time: OpenCV returns counts as float32, which is exact up to here."""


def histogram(values: npt.NDArray[Any], bins: int) -> npt.NDArray[np.int64]:
    """Return how often each of the numbers 0, 1, ... `bins - 1` is in a plane of uint8 or uint16.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.histograms import histogram
    >>> histogram(np.array([[0, 2, 2]], np.uint8), 4)
    array([1, 0, 2, 0])
    """
    counts = np.zeros(bins, np.int64)
    for rows in row_strips(values.shape, pixels=COUNTED_PIXELS):
        counts += cv2.calcHist([values[rows]], [0], None, [bins], [0, bins]).ravel().astype(np.int64)
    return counts


def extremes(image: npt.NDArray[Any]) -> tuple[float, float] | None:
    """Return the smallest and the largest finite pixel of a plane; `None` where no pixel is finite.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.histograms import extremes
    >>> extremes(np.array([[3.0, np.nan, -1.0, np.inf]], np.float32))
    (-1.0, 3.0)
    """
    smallest, largest = float(image.min()), float(image.max())
    if np.isfinite([smallest, largest]).all():
        return smallest, largest
    strips = (image[rows] for rows in row_strips(image.shape))
    finite = (strip[np.isfinite(strip)] for strip in strips)
    found = [(float(pixels.min()), float(pixels.max())) for pixels in finite if pixels.size]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None
