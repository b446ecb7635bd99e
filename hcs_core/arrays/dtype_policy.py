"""The one dtype policy: no hidden rescaling; what becomes an integer is rounded and clipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IMAGE_DTYPES = ("uint8", "uint16", "float32")
"""The dtypes that every operation takes unless it says otherwise."""


def to_dtype(array: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array in another dtype: to an integer, rounded (half to even) and clipped; else as numpy casts.

    The array itself is returned where it has that dtype already. NaN becomes 0 in an integer.
    """
    wanted = np.dtype(dtype)
    if array.dtype == wanted:
        return array
    if wanted.kind not in "iu":
        return array.astype(wanted)
    limits = np.iinfo(wanted)
    if array.dtype.kind in "iub":
        clipped: npt.NDArray[Any] = np.clip(array, limits.min, limits.max).astype(wanted)
        return clipped
    rounded = np.rint(array)
    np.clip(rounded, limits.min, limits.max, out=rounded)
    whole: npt.NDArray[Any] = np.nan_to_num(rounded, copy=False, nan=0.0).astype(wanted)
    return whole
