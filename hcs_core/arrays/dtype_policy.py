"""The one dtype policy: no hidden rescaling; what becomes an integer is rounded and clipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_FLOAT32_BYTES = 4


def to_dtype(array: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array in another dtype: to an integer, rounded (half to even) and clipped; else as numpy casts.

    What is too large for a smaller float becomes infinite.

    The array itself is returned where it has that dtype already. NaN becomes 0 in an integer.
    """
    wanted = np.dtype(dtype)
    if array.dtype == wanted:
        return array
    if wanted.kind not in "iu" or array.dtype.kind == "b":
        with np.errstate(over="ignore"):
            return array.astype(wanted)
    limits = np.iinfo(wanted)
    if array.dtype.kind in "iu":
        clipped: npt.NDArray[Any] = np.clip(array, limits.min, limits.max).astype(wanted)
        return clipped
    # A half float holds no number of uint16's size.
    rounded = np.rint(array, dtype=np.float32 if array.dtype.itemsize < _FLOAT32_BYTES else array.dtype)
    np.nan_to_num(rounded, copy=False, nan=0.0)
    lowest, highest = _floats_within(limits, rounded.dtype)
    whole: npt.NDArray[Any] = np.clip(rounded, lowest, highest).astype(wanted)
    if highest < limits.max:
        whole[rounded > highest] = limits.max
    return whole


def _floats_within(limits: np.iinfo[Any], dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the lowest and the highest number of a float dtype that an integer dtype holds.

    The highest integer of 32 and 64 bits is none of them: the nearest float is one too large.
    """
    lowest, highest = dtype.type(limits.min), dtype.type(limits.max)
    return lowest, highest if int(highest) <= limits.max else np.nextafter(highest, dtype.type(0))
