"""Thresholds: a plane into black and white."""

from __future__ import annotations

from typing import Any

import numpy as np

from hcs_operations.otsu import integer_levels
from hcs_operations.portable import thresholds
from hcs_operations.portable.dtypes import limits, name_of
from hcs_operations.portable.host import on_host


def threshold_otsu(image: Any, *, dtype: str = "") -> Any:
    """Set to 255 what is above Otsu's threshold, and to 0 what is not.

    The same as `hcs_operations.portable.thresholds.threshold_otsu`, where the operation is described. Integers are
    counted by `cupy.bincount` and not sorted, which spares two planes of int32. The host chooses the threshold.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes, each with a threshold of its own.
    dtype
        The image's dtype; empty: the array's own.

    Returns
    -------
    cupy.ndarray
        The same shape, uint8: 0 and 255.
    """
    import cupy

    ends = limits(dtype or name_of(image.dtype))
    if ends is None:
        return thresholds.threshold_otsu(image, dtype=dtype)
    planes = image.reshape(-1, *image.shape[-2:])
    counts = [on_host(cupy.bincount(plane.ravel(), minlength=ends[1] + 1)) for plane in planes]
    found = np.array([integer_levels(counted) for counted in counts]).astype(name_of(image.dtype))
    above = image > cupy.asarray(found).reshape(*image.shape[:-2], 1, 1)
    return above.astype("uint8") * thresholds.WHITE
