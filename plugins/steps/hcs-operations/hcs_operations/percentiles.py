"""Exact percentiles of a plane without sorting it."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_operations.histograms import histogram
from hcs_operations.ranges import between

HALF = 1 << 16
"""How many values 16 bits have."""

UPPER = 1 if sys.byteorder == "little" else 0
"""Which of the two uint16 of a float32 holds its sign, exponent and first digits."""

EXPONENT = 0x7F80
"""The bits of the exponent in there; all of them set is NaN or infinite."""


def percentiles(image: npt.NDArray[Any], percents: tuple[float, ...]) -> tuple[float, ...]:
    """Return percentiles of a plane, interpolated between pixels as numpy's method `linear` does, in float64.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32. In float32, NaN and infinities do not count.
    percents
        From 0 to 100.

    Returns
    -------
    tuple of float
        One for each of `percents`; empty where no pixel counts.

    Notes
    -----
    Integers are counted in a histogram with a bin for each value. Of a float32 the upper 16 bits are counted, whose
    order is that of the numbers once the sign is heeded; only pixels of the few bins that hold a wanted rank are
    looked at again (a radix selection: Knuth, The Art of Computer Programming 3, section 5.2.5). Ranks follow
    Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996) 361-365, type 7.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.percentiles import percentiles
    >>> percentiles(np.array([[10, 20, 30, 40]], np.uint8), (0.0, 50.0, 100.0))
    (10.0, 25.0, 40.0)
    """
    find = _Floats(image) if image.dtype.kind == "f" else _Integers(image)
    if find.count == 0:
        return ()
    places = [(find.count - 1) * (percent / 100.0) for percent in percents]
    below = [math.floor(place) for place in places]
    above = [min(find.count - 1, rank + 1) for rank in below]
    pixels = find.ranked({*below, *above})
    return tuple(
        between(pixels[first], pixels[second], place - first)
        for first, second, place in zip(below, above, places, strict=True)
    )


class _Integers:
    """The pixels of an integer plane by rank; rank 0 is the smallest."""

    def __init__(self, image: npt.NDArray[Any]) -> None:
        self._upto = np.cumsum(histogram(image, int(np.iinfo(image.dtype).max) + 1))
        self.count = int(self._upto[-1])

    def ranked(self, ranks: set[int]) -> dict[int, float]:
        """Return the pixel of each rank."""
        return {rank: float(np.searchsorted(self._upto, rank, side="right")) for rank in ranks}


class _Floats:
    """The finite pixels of a float32 plane by rank; rank 0 is the smallest."""

    def __init__(self, image: npt.NDArray[Any]) -> None:
        self._image = np.ascontiguousarray(image)
        self._upper = np.ascontiguousarray(self._image.view(np.uint16)[:, UPPER::2])
        counts = histogram(self._upper, HALF)
        counts[(np.arange(HALF) & EXPONENT) == EXPONENT] = 0
        # From the most negative number up: with the sign bit set, higher bits are a smaller number.
        self._bins = np.concatenate([np.arange(HALF - 1, HALF // 2 - 1, -1), np.arange(HALF // 2)])
        self._upto = np.cumsum(counts[self._bins])
        self.count = int(self._upto[-1])

    def ranked(self, ranks: set[int]) -> dict[int, float]:
        """Return the pixel of each rank."""
        by_place: dict[int, list[int]] = {}
        for rank in ranks:
            by_place.setdefault(int(np.searchsorted(self._upto, rank, side="right")), []).append(rank)
        pixels: dict[int, float] = {}
        for place, inside in by_place.items():
            first = int(self._upto[place - 1]) if place else 0
            members = self._image[self._upper == self._bins[place]]
            members.partition([rank - first for rank in inside])
            pixels |= {rank: float(members[rank - first]) for rank in inside}
        return pixels
