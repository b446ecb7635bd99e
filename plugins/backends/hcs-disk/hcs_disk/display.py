"""Grey values for display: what a viewer should show as black and as white."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

PERCENTILES = (0.1, 99.9)
VALUES_OF_A_PLANE = 2**12
"""About how many pixels of each plane are looked at: of a camera's, one in a thousand."""


class GreyValues:
    """Gathers some pixels of every plane of a well, a channel at a time."""

    def __init__(self, channels: int) -> None:
        self._values: list[list[npt.NDArray[Any]]] = [[] for _ in range(channels)]

    def add(self, channel: int, plane: npt.NDArray[Any]) -> None:
        """Take pixels of a (y, x) plane, from a grid over the whole of it."""
        step = max(1, math.isqrt(plane.size // VALUES_OF_A_PLANE))
        # A copy, so that the plane does not stay in memory.
        self._values[channel].append(plane[::step, ::step].flatten())

    def windows(self) -> tuple[tuple[float, float], ...]:
        """Return (low, high) for each channel: the 0.1 and 99.9 percentiles, low below high.

        What is not finite is left out; a channel of one value v has (v, v + 1), one without planes (0, 1).
        """
        return tuple(_window(values) for values in self._values)


def _window(parts: list[npt.NDArray[Any]]) -> tuple[float, float]:
    values = np.concatenate(parts) if parts else np.zeros(0)
    values = values[np.isfinite(values)].astype(np.float64)
    if not values.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, PERCENTILES))
    # Beyond 2^53, adding 1 changes nothing.
    return low, high if low < high else max(low + 1.0, float(np.nextafter(low, np.inf)))
