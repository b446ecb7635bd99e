"""Percentiles of the planes of a well or a plate together: counted plane by plane, never held at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core import Estimated
from hcs_operations.histograms import histogram
from hcs_operations.percentiles import HALF, UPPER
from hcs_operations.ranges import between

Counts = npt.NDArray[np.int64]

_FINITE = HALF // 2 - (1 << 7)
"""Bins of one sign of a float32, by its upper 16 bits, that are neither infinite nor NaN."""

_UPPER_BITS = np.concatenate([np.arange(HALF // 2 + _FINITE - 1, HALF // 2 - 1, -1), np.arange(_FINITE)])
"""The upper 16 bits of each bin, in the order of the numbers: from the most negative up."""


def counts(plane: npt.NDArray[Any], *, low: float, high: float, limits: str) -> Counts:  # noqa: ARG001
    """Return how often each value is in a plane.

    Parameters
    ----------
    plane
        Axes `yx`; uint8, uint16 or float32.
    low, high, limits
        The operation's; counts are the same for all.

    Returns
    -------
    numpy.ndarray
        int64. For uint8 and uint16 a number for each value; for float32 65,280 numbers, for what is finite by its
        upper 16 bits, in the order of the numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.limits import counts
    >>> counts(np.array([[0, 2, 2]], np.uint8), low=1, high=99, limits="well")[:4]
    array([1, 0, 2, 0])
    """
    if plane.dtype.kind != "f":
        return histogram(np.ascontiguousarray(plane), int(np.iinfo(plane.dtype).max) + 1)
    upper = np.ascontiguousarray(plane, np.float32).view(np.uint16)[:, UPPER::2]
    found: Counts = histogram(np.ascontiguousarray(upper), HALF)[_UPPER_BITS]
    return found


def added(one: Counts, other: Counts) -> Counts:
    """Return the counts of two parts together."""
    return one + other


def levels(
    collected: Sequence[Counts],
    shape: tuple[int, int],  # noqa: ARG001 - counts do not need it
    *,
    low: float,
    high: float,
    limits: str,  # noqa: ARG001 - it says what was counted
) -> Estimated:
    """Return the grey levels at two percentiles of everything that was counted.

    Parameters
    ----------
    collected
        The counts, in one array or several.
    shape
        (y, x) of a plane.
    low, high
        In percent, `low` below `high`; interpolated between pixels as numpy's method `linear` does.
    limits
        What was counted.

    Returns
    -------
    Estimated
        The two levels, exact for uint8 and uint16. In float32 the pixels of a bin count as lying evenly over it, so
        that a level is off by less than a bin, which is at most 1/128 of the level. Without a finite pixel both are
        0.

    Raises
    ------
    ValueError
        `low` is not below `high`.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.limits import counts, levels
    >>> asked = {"low": 0.0, "high": 50.0, "limits": "well"}
    >>> levels([counts(np.array([[10, 20, 30]], np.uint8), **asked)], (1, 3), **asked).value
    (10.0, 20.0)
    """
    if not low < high:
        raise ValueError(f"percentile_normalize: low={low!r} must be below high={high!r}.")
    total: Counts = np.sum(np.stack(collected), axis=0)
    found = (_level(total, low), _level(total, high)) if total.any() else (0.0, 0.0)
    return Estimated(value=found, notes={"low_level": found[0], "high_level": found[1]})


def _level(total: Counts, percent: float) -> float:
    """Return a percentile of what was counted."""
    upto = np.cumsum(total)
    last = int(upto[-1]) - 1
    place = last * (percent / 100.0)
    below = math.floor(place)
    first, second = (_ranked(total, upto, rank) for rank in (below, min(last, below + 1)))
    return between(first, second, place - below)


def _ranked(total: Counts, upto: Counts, rank: int) -> float:
    """Return the pixel of a rank; rank 0 is the smallest."""
    found = int(np.searchsorted(upto, rank, side="right"))
    if total.size != _UPPER_BITS.size:
        return float(found)
    start, end = _edges(int(_UPPER_BITS[found]))
    part = (rank - (int(upto[found]) - int(total[found])) + 0.5) / int(total[found])
    return start + part * (end - start)


def _edges(upper: int) -> tuple[float, float]:
    """Return the numbers between which those with these upper 16 bits lie, the smaller first."""
    bits = np.array([upper << 16, (upper << 16) | (HALF - 1)], np.uint32)
    first, last = bits.view(np.float32).astype(np.float64).tolist()
    return min(first, last), max(first, last)
