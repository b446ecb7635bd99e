"""Otsu's threshold of a histogram, computed alike for every memory type."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FLOAT_BINS = 256
"""Bins of a histogram of float32, as many as scikit-image takes."""

TIED = 1e-12
"""Variances that differ by less, relative, are the same: the rounding of float64 is below, what pixels do above."""


def best_level(counts: npt.NDArray[np.generic], levels: npt.NDArray[np.generic]) -> float:
    """Return the level that parts a histogram into two classes as far apart as can be.

    It is the first level at which the variance between the two classes, `w0 * w1 * (mean0 - mean1) ** 2`, is largest;
    the darker class holds what is counted up to and with it. Levels whose variances are equal within 1e-12 are ties.

    Parameters
    ----------
    counts
        How many pixels have each level; the first and the last are not 0.
    levels
        As many numbers, ascending.

    Notes
    -----
    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems, Man, and
    Cybernetics 9 (1979) 62-66, doi:10.1109/TSMC.1979.4310076. In float64.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.otsu import best_level
    >>> best_level(np.array([3, 1, 0, 4]), np.array([10, 12, 40, 90]))
    12.0
    """
    if len(levels) == 1:
        # A plane of one value has no two classes.
        return float(levels[0])
    whole = counts.astype(np.float64)
    moments = whole * levels.astype(np.float64)
    below, above = np.cumsum(whole)[:-1], np.cumsum(whole[::-1])[-2::-1]
    apart = np.cumsum(moments)[:-1] / below - np.cumsum(moments[::-1])[-2::-1] / above
    between = below * above * apart**2
    return float(levels[np.argmax(between >= between.max() * (1.0 - TIED))])


def integer_levels(counts: npt.NDArray[np.generic]) -> float:
    """Return `best_level` of how often each of the numbers 0, 1, ... is there; one of them is.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.otsu import integer_levels
    >>> integer_levels(np.array([0, 3, 0, 5]))
    1.0
    """
    present = np.flatnonzero(counts)
    levels = np.arange(present[0], present[-1] + 1)
    return best_level(counts[levels], levels)


def float_edges(lowest: float, highest: float) -> npt.NDArray[np.float64]:
    """Return the edges of `FLOAT_BINS` bins of equal width between two numbers, the first below the second."""
    return np.linspace(lowest, highest, FLOAT_BINS + 1)


def float_level(counts: npt.NDArray[np.generic], edges: npt.NDArray[np.float64]) -> float:
    """Return `best_level` of how many numbers lie in each bin: the centre of a bin."""
    return best_level(counts, (edges[:-1] + edges[1:]) / 2)
