"""Uneven illumination: a smooth field for each channel."""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from hcs_synthetic.randomness import Purpose, generator
from hcs_synthetic.settings import PlateSettings


@functools.lru_cache(maxsize=8)
def illumination_field(plate: PlateSettings, channel: int) -> npt.NDArray[np.float32]:
    """Return the (y, x) float32 field of a channel: mean 1, `(max - min) / max` the plate's `shading`.

    A quadratic polynomial in y and x, brightest near the centre, at another place and with another form in each
    channel. The array is read-only: it is shared.
    """
    rng = generator(plate.seed, Purpose.ILLUMINATION, channel=channel)
    rows, columns = plate.image_shape
    centre_y, centre_x = 0.5 * rng.random(2) - 0.25
    curve_y, curve_x = 0.8 + 0.4 * rng.random(2)
    cross = 0.4 * rng.random() - 0.2
    y = (np.arange(rows) - 0.5 * (rows - 1)) * (2.0 / max(rows - 1, 1)) - centre_y
    x = (np.arange(columns) - 0.5 * (columns - 1)) * (2.0 / max(columns - 1, 1)) - centre_x
    in_y, in_x = curve_y * y * y, curve_x * x * x
    bowl = in_y[:, None] + in_x[None, :] + cross * (y[:, None] * x[None, :])
    lowest, highest = float(bowl.min()), float(bowl.max())
    # Exact sums: a mean over all pixels would be rounded differently on other machines.
    mean = math.fsum(in_y) / rows + math.fsum(in_x) / columns
    mean += cross * (math.fsum(y) / rows) * (math.fsum(x) / columns)
    slope = plate.shading / (highest - lowest) if highest > lowest else 0.0
    field: npt.NDArray[np.float32] = ((1.0 - slope * (bowl - lowest)) / (1.0 - slope * (mean - lowest))).astype(
        np.float32
    )
    field.setflags(write=False)
    return field
