"""Operations across channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from hcs_numpy.means import weighted_mean
from hcs_operations.given import channel_weights


def composite(image: npt.NDArray[Any], *, weights: Sequence[float] = ()) -> npt.NDArray[Any]:
    """Join the channels into one: their weighted mean.

    The sum is taken in the order of the channels, in float64 (in float32 where that is exact), and divided by the
    sum of the weights. Beside its input and its output it holds two strips of half a MiB.

    Parameters
    ----------
    image
        Axes `cyx`; uint8, uint16 or float32.
    weights
        One number for each channel, in order, none below 0 and not all 0; empty: all the same. They need not
        add up to 1. A channel of weight 0 leaves no trace, NaN neither.

    Returns
    -------
    numpy.ndarray
        Axes `yx`, the same dtype, a new array; integers are rounded half to even. In float32, a pixel that is
        NaN in a channel that counts is NaN.

    Raises
    ------
    ValueError
        The weights are not as many as the channels, one is below 0, or their sum is not a finite number above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.channels import composite
    >>> channels = np.array([[[10, 20]], [[30, 60]]], np.uint16)
    >>> composite(channels)
    array([[20, 40]], dtype=uint16)
    >>> composite(channels, weights=(3, 1))
    array([[15, 30]], dtype=uint16)
    """
    return weighted_mean(image, channel_weights(weights, len(image)))
