"""The camera: from light to grey values."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_synthetic.randomness import standard_noise

READ_NOISE_ELECTRONS = 2.5
_ELECTRONS_PER_GREY = 1.6
_STRIP_PIXELS = 1 << 15


@attrs.frozen(kw_only=True)
class Camera:
    """A camera: how light becomes grey values.

    A pixel that gets the signal `s` (in grey values, without the offset) has the mean `offset + s` and the variance
    `s / electrons_per_grey + (read_noise_electrons / electrons_per_grey)**2`, then is rounded and clipped. Photon
    noise is normal with the Poisson variance: below some ten electrons it is not skewed as it should be.

    Attributes
    ----------
    dtype
        `uint8` or `uint16`.
    offset
        The grey value of no light.
    photon_noise, read_noise
        Whether there is any.
    """

    dtype: str
    offset: float
    photon_noise: bool = True
    read_noise: bool = True

    @property
    def grey_scale(self) -> float:
        """How many of this camera's grey values one of a 16-bit camera is."""
        return 1.0 if self.dtype == "uint16" else 1.0 / 16.0

    @property
    def electrons_per_grey(self) -> float:
        """How many electrons one grey value is."""
        return _ELECTRONS_PER_GREY / self.grey_scale

    @property
    def read_noise_grey(self) -> float:
        """The standard deviation of a dark pixel, in grey values, before rounding."""
        return READ_NOISE_ELECTRONS / self.electrons_per_grey if self.read_noise else 0.0

    def expose(self, signal: npt.NDArray[np.float32], bits: np.random.BitGenerator) -> npt.NDArray[Any]:
        """Return the (y, x) image that the camera makes of a (y, x) float32 signal in grey values.

        `bits` gives the noise, pixel after pixel along rows.
        """
        image = np.empty(signal.shape, self.dtype)
        # Strips that fit the processor's cache: half the time of the whole image at once.
        rows = max(1, _STRIP_PIXELS // signal.shape[1])
        for first in range(0, signal.shape[0], rows):
            strip = slice(first, first + rows)
            grey = np.maximum(signal[strip], np.float32(0.0))
            if self.photon_noise or self.read_noise:
                spread = grey * np.float32(1.0 / self.electrons_per_grey if self.photon_noise else 0.0)
                spread += np.float32(self.read_noise_grey * self.read_noise_grey)
                np.sqrt(spread, out=spread)
                spread *= standard_noise(bits, spread.shape)
                grey += spread
            grey += np.float32(self.offset)
            np.rint(grey, out=grey)
            np.clip(grey, 0, np.iinfo(self.dtype).max, out=grey)
            image[strip] = grey
        return image
