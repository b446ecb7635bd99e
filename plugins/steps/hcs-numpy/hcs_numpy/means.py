"""The weighted mean of the planes of a stack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_operations.strips import row_strips, store


def weighted_mean(stack: npt.NDArray[Any], counted: Sequence[tuple[int, float]]) -> npt.NDArray[Any]:
    """Return the weighted mean of some planes of a stack.

    The sum is taken in their order, in float64 (in float32 where that is exact), and divided by the sum of the
    weights. Beside its input and its output it holds two strips of half a MiB.

    Parameters
    ----------
    stack
        One plane or more; uint8, uint16 or float32.
    counted
        The index and the weight of every plane that counts; the weights above 0, with a finite sum.

    Returns
    -------
    numpy.ndarray
        Axes `yx`, the same dtype, a new array; integers are rounded half to even.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.means import weighted_mean
    >>> weighted_mean(np.array([[[10, 20]], [[7, 7]], [[30, 60]]], np.uint8), [(0, 3.0), (2, 1.0)])
    array([[15, 30]], dtype=uint8)
    """
    weights = [weight for _, weight in counted]
    total, work = math.fsum(weights), _work_dtype(stack.dtype, weights)
    joined = np.empty(stack.shape[1:], stack.dtype)
    for rows in row_strips(joined.shape):
        mean = np.zeros(joined[rows].shape, work)
        for index, weight in counted:
            if weight == 1:
                cv2.accumulate(stack[index, rows], mean)
            else:
                mean += np.multiply(stack[index, rows], weight, dtype=work)
        mean /= work(total)
        store(mean, joined[rows])
    return joined


def _work_dtype(dtype: np.dtype[Any], weights: list[float]) -> type[np.float32 | np.float64]:
    """Return float32, which takes half the time, where the rounded mean is exact in it; else float64.

    Whole-number weights give whole sums. Below 2**23 these are exact, and a quotient that is not half-way between
    two numbers is further from there than float32 can be off.
    """
    whole = all(weight.is_integer() for weight in weights)
    exact = dtype.kind in "iu" and whole and math.fsum(weights) * np.iinfo(dtype).max < 2**23
    return np.float32 if exact else np.float64
