"""Exact percentiles of a plane without sorting it."""

from __future__ import annotations

import math

import torch

from hcs_operations.ranges import between
from hcs_torch.histograms import histogram

HALF = 1 << 16
"""How many values 16 bits have."""

EXPONENT = 0x7F80
"""The bits of a float32's exponent in its upper 16 bits; all of them set is NaN or infinite."""


def percentiles(plane: torch.Tensor, percents: tuple[float, ...], values: int = 0) -> tuple[float, ...]:
    """Return percentiles of a plane, interpolated between pixels as numpy's method `linear` does, in float64.

    Parameters
    ----------
    plane
        Axes `yx`; integers from 0, or float32, of which NaN and infinities do not count.
    percents
        From 0 to 100.
    values
        How many values an integer can have; 0: the plane is float32.

    Returns
    -------
    tuple of float
        One for each of `percents`; empty where no pixel counts.

    Notes
    -----
    Integers are counted, with a bin for each value. Of a float32 first the upper 16 bits are counted, in the order of
    the numbers, and then the lower 16 bits of those pixels that share their upper ones with a wanted rank (a radix
    selection: Knuth, The Art of Computer Programming 3, section 5.2.5). Ranks follow Hyndman and Fan, "Sample
    quantiles in statistical packages", The American Statistician 50 (1996) 361-365, type 7.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.percentiles import percentiles
    >>> percentiles(torch.tensor([[10, 20, 30, 40]]), (0.0, 50.0, 100.0), values=256)
    (10.0, 25.0, 40.0)
    """
    find = _Integers(plane, values) if values else _Floats(plane)
    if find.count == 0:
        return ()
    places = [(find.count - 1) * (percent / 100.0) for percent in percents]
    found = []
    for place in places:
        below = math.floor(place)
        first, second = find.ranked(below), find.ranked(min(find.count - 1, below + 1))
        found.append(between(first, second, place - below))
    return tuple(found)


class _Integers:
    """The pixels of an integer plane by rank; rank 0 is the smallest."""

    def __init__(self, plane: torch.Tensor, values: int) -> None:
        self._upto = histogram(plane, values).cumsum(0)
        self.count = int(self._upto[-1])

    def ranked(self, rank: int) -> float:
        """Return the pixel of a rank."""
        return float(torch.searchsorted(self._upto, rank, right=True))


class _Floats:
    """The finite pixels of a float32 plane by rank; rank 0 is the smallest."""

    def __init__(self, plane: torch.Tensor) -> None:
        bits = plane.contiguous().view(torch.int32)
        # As whole numbers these bits are in the order of the floats: those of negative ones count backwards.
        self._keys = bits ^ ((bits >> 31) & 0x7FFFFFFF)
        self._upper = (self._keys >> 16) + HALF // 2
        counts = histogram(self._upper, HALF)
        upper = torch.arange(HALF, device="cpu") - HALF // 2
        exponent = torch.where(upper < 0, ~upper, upper) & EXPONENT
        counts[exponent == EXPONENT] = 0
        self._upto = counts.cumsum(0)
        self.count = int(self._upto[-1])
        self._inside: dict[int, torch.Tensor] = {}

    def ranked(self, rank: int) -> float:
        """Return the pixel of a rank."""
        upper = int(torch.searchsorted(self._upto, rank, right=True))
        if upper not in self._inside:
            lower = self._keys[self._upper == upper] & (HALF - 1)
            self._inside[upper] = histogram(lower, HALF).cumsum(0)
        before = int(self._upto[upper - 1]) if upper else 0
        lower_bits = int(torch.searchsorted(self._inside[upper], rank - before, right=True))
        key = torch.tensor((upper - HALF // 2) * HALF + lower_bits, dtype=torch.int32, device="cpu")
        return float((key ^ ((key >> 31) & 0x7FFFFFFF)).view(torch.float32))
