"""Levels of a pyramid: each is the one before at half the size, by the mean of 2 x 2 pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

METHOD = (
    "mean of 2 x 2 pixels of the level before; integers are rounded half up; the last row or column is repeated "
    "where a size is odd"
)
"""The rule, as the images' metadata states it."""

# For these, INTER_AREA by exactly 2 on even sizes was measured to follow the rule, and it is the fastest way to it.
_FAST = frozenset({"uint8", "uint16", "float32"})


def half(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a plane at half its size: the mean of each 2 x 2 pixels.

    Parameters
    ----------
    plane
        (y, x), of any integer, boolean or real dtype.

    Returns
    -------
    half
        (ceil(y / 2), ceil(x / 2)), of the same dtype. Integers are rounded half up (towards plus infinity);
        booleans are true where at least two of four are; where a size is odd, the last row or column counts
        twice, so that no edge fades to zero.

    Examples
    --------
    >>> half(np.array([[1, 2, 9], [3, 4, 9]], np.uint16))
    array([[3, 9]], dtype=uint16)
    """
    odd_y, odd_x = plane.shape[0] % 2, plane.shape[1] % 2
    if plane.dtype.name in _FAST:
        even = cv2.copyMakeBorder(plane, 0, odd_y, 0, odd_x, cv2.BORDER_REPLICATE) if odd_y or odd_x else plane
        size = (even.shape[1] // 2, even.shape[0] // 2)
        resized: npt.NDArray[Any] = cv2.resize(even, size, interpolation=cv2.INTER_AREA)
        return resized
    even = np.pad(plane, ((0, odd_y), (0, odd_x)), mode="edge") if odd_y or odd_x else plane
    return _half_by_arithmetic(even)


def _half_by_arithmetic(even: npt.NDArray[Any]) -> npt.NDArray[Any]:
    dtype = even.dtype
    quarters = [even[y::2, x::2] for y in (0, 1) for x in (0, 1)]
    if dtype.kind == "f":
        mean: npt.NDArray[Any] = np.mean(quarters, axis=0, dtype=np.result_type(dtype, np.float32)).astype(dtype)
        return mean
    # Quotients and remainders by 4 are added apart: a plain sum of four would overflow the dtype.
    work = np.dtype(np.uint8) if dtype.kind == "b" else dtype
    stack = np.stack(quarters).astype(work, copy=False)
    whole = np.sum(stack >> 2, axis=0, dtype=work)
    rest = np.sum(stack & 3, axis=0, dtype=work)
    rounded: npt.NDArray[Any] = (whole + ((rest + 2) >> 2)).astype(dtype)
    return rounded
