"""Grey values for display: what a viewer should show as black and as white."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

PERCENTILES = (0.1, 99.9)
MOST_VALUES = 2**16
"""How many values of a channel are looked at; of more, every second is dropped until they fit."""


class DisplayWindows:
    """Gathers the smallest level of every plane of a well, a channel at a time, in bounded memory."""

    def __init__(self, channels: int) -> None:
        self._values: list[list[npt.NDArray[Any]]] = [[] for _ in range(channels)]
        self._count = [0] * channels
        self._stride = [1] * channels

    def add(self, channel: int, plane: npt.NDArray[Any]) -> None:
        """Take a plane of the smallest level."""
        # A copy, so that neither the plane nor the pyramid that it is a part of stays in memory.
        values = plane.ravel()[:: self._stride[channel]].copy()
        self._values[channel].append(values)
        self._count[channel] += values.size
        while self._count[channel] > MOST_VALUES:
            self._values[channel] = [part[::2].copy() for part in self._values[channel]]
            self._count[channel] = sum(part.size for part in self._values[channel])
            self._stride[channel] *= 2

    def windows(self) -> tuple[tuple[float, float], ...]:
        """Return (low, high) for each channel: the 0.1 and 99.9 percentiles, low below high.

        What is not finite is left out; a channel of one value v has (v, v + 1), one without planes (0, 1).
        """
        return tuple(_window(values) for values in self._values)


def _window(parts: list[npt.NDArray[Any]]) -> tuple[float, float]:
    values = np.concatenate(parts) if parts else np.zeros(0)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    if values.dtype.kind != "u":
        # Differences of signed integers can overflow; unsigned ones are several times faster as they are.
        values = values.astype(np.float64)
    low, high = (float(value) for value in np.percentile(values, PERCENTILES, overwrite_input=True))
    if low < high:
        return low, high
    # Beyond 2^53, adding 1 changes nothing.
    return low, max(low + 1.0, float(np.nextafter(low, np.inf)))
