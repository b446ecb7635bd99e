"""Thresholds: a plane into black and white."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_operations.histograms import extremes, histogram
from hcs_operations.otsu import FLOAT_BINS, float_edges, float_level, integer_levels
from hcs_operations.strips import row_strips


def threshold_otsu(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Set to 255 what is above Otsu's threshold, and to 0 what is not.

    The threshold is that of `otsu_threshold`. Beside its input and its output it holds tables of 4 MiB for integers,
    and strips of some MiB for float32.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32.

    Returns
    -------
    numpy.ndarray
        The same shape, uint8, a new array of 0 and 255. A constant plane has nothing above its threshold and becomes
        0 everywhere. In float32 NaN becomes 0, and infinities 0 and 255; without one finite pixel all becomes 0.

    Notes
    -----
    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems, Man, and
    Cybernetics 9 (1979) 62-66, doi:10.1109/TSMC.1979.4310076.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.thresholds import threshold_otsu
    >>> threshold_otsu(np.array([[10, 12, 90, 95]], np.uint16))
    array([[  0,   0, 255, 255]], dtype=uint8)
    """
    above = np.zeros(image.shape, np.uint8)
    threshold = otsu_threshold(image)
    if threshold is None:
        return above
    limit = image.dtype.type(threshold)
    for rows in row_strips(image.shape):
        # A comparison gives 0 and 1; less them is 0 and, in 8 bits, 255.
        found = np.greater(image[rows], limit, out=above[rows].view(np.bool_))
        np.negative(found.view(np.uint8), out=above[rows])
    return above


def otsu_threshold(image: npt.NDArray[Any]) -> float | None:
    """Return the threshold that parts a plane into two classes of grey levels as far apart as can be.

    It is the first grey level at which the variance between the two classes, `w0 * w1 * (mean0 - mean1) ** 2`, is
    largest; the darker class holds the pixels up to and with it. It is computed in float64; levels are tied whose
    variances are the same within 1e-12. The histogram has a bin for each value for uint8 and uint16. For float32 it
    has 256 bins of equal width from the smallest to the largest finite pixel, and the threshold is the centre of a
    bin. So `skimage.filters.threshold_otsu` does it with its default `nbins=256`; it counts in float32, so that it
    can choose otherwise where two thresholds are equally good within 1e-6, or beyond 16 million pixels.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32.

    Returns
    -------
    float or None
        A constant plane's value is its threshold; `None` where no pixel is finite.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.thresholds import otsu_threshold
    >>> otsu_threshold(np.array([[10, 12, 90, 95]], np.uint16))
    12.0
    """
    if image.dtype.kind != "f":
        return integer_levels(histogram(image, int(np.iinfo(image.dtype).max) + 1))
    found = extremes(image)
    if found is None or found[0] == found[1]:
        return None if found is None else found[0]
    return float_level(_float_counts(image, found), float_edges(*found))


def _float_counts(image: npt.NDArray[Any], found: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return how many finite pixels lie in each bin between two numbers."""
    counts = np.zeros(FLOAT_BINS)
    for rows in row_strips(image.shape):
        # float64: float32 has no 256 edges between two numbers that are close together.
        counts += np.histogram(image[rows].astype(np.float64), FLOAT_BINS, range=found)[0]
    return counts
