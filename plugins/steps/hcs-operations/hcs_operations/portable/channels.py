"""Operations across channels, for any array library that follows the array API."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from array_api_compat import array_namespace

from hcs_operations.given import channel_weights
from hcs_operations.portable.dtypes import name_of, to_image
from hcs_operations.portable.levels import as_float


def composite(image: Any, *, weights: Sequence[float] = (), dtype: str = "") -> Any:
    """Join the channels into one: their weighted mean.

    The sum of the channels times their weights, over the sum of the weights, which need not be 1. A channel of
    weight 0 leaves no trace, NaN neither.

    Parameters
    ----------
    image
        Axes `cyx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    weights
        One number for each channel, in order, none below 0 and not all 0; empty: all the same.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        Axes `yx`, and those in front, the same dtype, on the same device; integers are rounded half to even. In
        float32, a pixel that is NaN in a channel that counts is NaN.

    Raises
    ------
    ValueError
        The weights are not as many as the channels, one is below 0, or their sum is not a finite number above 0.

    Notes
    -----
    Computed in float32: exact for integers where the weights are whole numbers whose sum, times the dtype's largest
    value, is below 2**23; else off by a 2**24th of the largest value for each channel.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.channels import composite
    >>> composite(np.array([[[10, 20]], [[30, 60]]], np.uint16), weights=(3, 1))
    array([[15, 30]], dtype=uint16)
    """
    xp = array_namespace(image)
    counted = channel_weights(weights, image.shape[-3])
    # By a power of 2, which changes no digit: large weights would leave the range of float32.
    scale = 2.0 ** -math.frexp(max(weight for _, weight in counted))[1]
    total = math.fsum(weight * scale for _, weight in counted)
    parts = [as_float(image[..., channel, :, :], xp) * (weight * scale) for channel, weight in counted]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + part
    return to_image(joined / total, xp, dtype or name_of(image.dtype), image.dtype)
