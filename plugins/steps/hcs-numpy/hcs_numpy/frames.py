"""Operations that change the frame of a plane: which pixels it has, and how large they are."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_core import to_dtype
from hcs_operations.signatures import BIN_FRAME, BIN_METHODS
from hcs_operations.strips import row_strips, store


def bin_pixels(image: npt.NDArray[Any], *, factor: int = 2, method: str = "mean") -> npt.NDArray[Any]:
    """Join squares of `factor` x `factor` pixels into one: the operation `bin`.

    Rows and columns that are left over at the end are dropped. Sums are exact for integers, and taken in float64 for
    float32. Beside its input and its output it holds strips of at most 1.5 MiB (one row in float64, and one of the
    result, where that is more).

    Parameters
    ----------
    image
        Axes `yx`, at least `factor` pixels high and wide; uint8, uint16 or float32.
    factor
        How many pixels, along each side, become one, a whole number of at least 1.
    method
        `mean`; `sum`, as a camera adds up charge: it is clipped at the dtype's largest value; or `max`, which keeps
        spots that are smaller than the square.

    Returns
    -------
    numpy.ndarray
        Axes `yx`, `height // factor` x `width // factor` pixels, the same dtype, a new array; the means of integers
        are rounded half to even. In float32, a square with a NaN in it is NaN.

    Raises
    ------
    ValueError
        The plane is smaller than the square, or no method is called so.

    Notes
    -----
    Binning as `skimage.transform.downscale_local_mean` does it, but for what is left over: that is filled with 0
    there.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.frames import bin_pixels
    >>> image = np.array([[1, 2, 9, 9, 5], [3, 4, 9, 8, 5]], np.uint8)
    >>> bin_pixels(image)
    array([[2, 9]], dtype=uint8)
    >>> bin_pixels(image, method="sum")
    array([[10, 35]], dtype=uint8)
    """
    if method not in BIN_METHODS:
        raise ValueError(f"bin: method={method!r} is none of {', '.join(BIN_METHODS)}.")
    rows, columns = BIN_FRAME.change(_shape(image), {"factor": factor}).shape
    binned = np.empty((rows, columns), image.dtype)
    for part in row_strips((rows, columns * factor)):
        lines = image[part.start * factor : part.stop * factor, : columns * factor]
        if method == "max":
            binned[part] = _maxima(_maxima(lines, factor).T, factor).T
            continue
        total = _sums(lines, factor)
        if method == "mean":
            total /= total.dtype.type(factor * factor)
            store(total, binned[part])
        else:
            binned[part] = to_dtype(total, image.dtype)
    return binned


def _shape(image: npt.NDArray[Any]) -> tuple[int, int]:
    height, width = image.shape
    return height, width


def _maxima(lines: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Return the maximum of every `factor` lines."""
    largest = lines[::factor].copy(order="K")
    for offset in range(1, factor):
        np.maximum(largest, lines[offset::factor], out=largest)
    return largest


def _sums(lines: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Return the sums of the squares, exact for integers: in float32, which is faster, where that is."""
    # Below 2**23 not only the sum is exact: its mean is never off enough to be rounded the wrong way.
    exact = lines.dtype.kind in "iu" and factor * factor * np.iinfo(lines.dtype).max < 2**23
    tall = np.zeros((len(lines) // factor, lines.shape[1]), np.float32 if exact else np.float64)
    for offset in range(factor):
        cv2.accumulate(lines[offset::factor], tall)
    wide = tall[:, ::factor].copy()
    for offset in range(1, factor):
        wide += tall[:, offset::factor]
    return wide
