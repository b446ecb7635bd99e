"""Linear filters."""

from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_numpy.strips import row_strips, store

TRUNCATE = 4.0
"""Where the Gaussian is cut off, in sigmas."""


def gaussian_blur(image: npt.NDArray[Any], *, sigma: float) -> npt.NDArray[Any]:
    """Blur a plane with a Gaussian.

    The Gaussian is sampled at whole pixels, cut off at `int(4 * sigma + 0.5)` px and normalised to a sum of 1.
    At the border the plane is mirrored about the centre of its outermost pixels (`d c b | a b c d | c b a`:
    `reflect` in numpy, torch and jax, `mirror` in scipy, `BORDER_REFLECT_101` in OpenCV). Arithmetic is
    float32: OpenCV's own path for integers is fixed-point and is off by more than one grey level.

    Beside its input and its output it holds, for integers, float32 strips that weigh half a plane (two of 40 sigma
    rows, where that is more); for float32 nothing, and a copy where the image is not contiguous. OpenCV's own buffers
    come to it: some 8 sigma rows in float32 for each of its threads.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32.
    sigma
        The standard deviation in px, above 0.

    Returns
    -------
    numpy.ndarray
        The same shape and dtype, a new array; integers are rounded half to even. In float32, NaN and infinities
        spread over the square of `2 * int(4 * sigma + 0.5) + 1` px around them.

    Notes
    -----
    A separable convolution, `cv2.GaussianBlur`. Kernels of this operation in other memory types agree with it
    within 1 grey level on integers, and within 1e-4 of the value in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.filters import gaussian_blur
    >>> spot = np.zeros((5, 5), np.uint8)
    >>> spot[2, 2] = 100
    >>> gaussian_blur(spot, sigma=0.5)
    array([[ 0,  0,  0,  0,  0],
           [ 0,  1,  8,  1,  0],
           [ 0,  8, 62,  8,  0],
           [ 0,  1,  8,  1,  0],
           [ 0,  0,  0,  0,  0]], dtype=uint8)
    """
    radius = int(TRUNCATE * sigma + 0.5)
    blurred = np.empty(image.shape, image.dtype)
    if image.dtype == np.float32:
        _convolve(image, sigma, radius, blurred)
        return blurred
    cuts = _strips(len(image), radius, image.itemsize)
    longest = max(stop - start for start, stop in cuts) + 2 * radius
    # Two buffers for all strips. (In place would not do with one: OpenCV 5 copies its input then.)
    pair = np.empty((2, min(longest, len(image)), image.shape[1]), np.float32)
    for start, stop in cuts:
        rows_read = slice(max(0, start - radius), min(len(image), stop + radius))
        strip, result = pair[:, : rows_read.stop - rows_read.start]
        strip[...] = image[rows_read]
        _convolve(strip, sigma, radius, result)
        # Rows next to a cut are wrong as far as the Gaussian reaches: the strip was cut with that much to spare.
        kept = result[start - rows_read.start : stop - rows_read.start]
        for rows in row_strips(kept.shape):
            store(kept[rows], blurred[start:stop][rows])
    return blurred


def _convolve(image: npt.NDArray[Any], sigma: float, radius: int, out: npt.NDArray[Any]) -> None:
    side = 2 * radius + 1
    cv2.GaussianBlur(image, (side, side), sigmaX=sigma, sigmaY=sigma, dst=out, borderType=cv2.BORDER_REFLECT_101)


def _strips(height: int, radius: int, itemsize: int) -> list[tuple[int, int]]:
    """Cut the rows into equal strips: two of them in float32, with the rows they need, weigh half a plane of it.

    A strip is at least eight times as long as the Gaussian reaches, whatever it weighs: the rows that it needs beside
    its own are computed twice, and must stay few.
    """
    rows = max(height * itemsize // 16 - 2 * radius, 8 * radius, 1)
    count = -(-height // rows)
    edges = [height * number // count for number in range(count + 1)]
    return list(itertools.pairwise(edges))
