"""Linear filters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_numpy.depths import depth_of
from hcs_operations.signatures import TRUNCATE
from hcs_operations.strips import row_strips, store


def gaussian_blur(image: npt.NDArray[Any], *, sigma: float = 1.0) -> npt.NDArray[Any]:
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
    A separable convolution, `cv2.GaussianBlur`.

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
    blurred = np.empty(image.shape, image.dtype)
    if image.dtype == np.float32:
        _convolve(image, sigma, blurred)
        return blurred
    for rows, _, smooth in _blurred_strips(image, sigma):
        for part in row_strips(smooth.shape):
            store(smooth[part], blurred[rows][part])
    return blurred


def unsharp_mask(image: npt.NDArray[Any], *, radius: float = 1.0, amount: float = 1.0) -> npt.NDArray[Any]:
    """Sharpen a plane: add what a Gaussian would take away from it.

    The result is `image + amount * (image - blurred)`, where `blurred` is what `gaussian_blur` makes of the plane
    with `sigma=radius`, before it is rounded. Arithmetic is float32. Integers are clipped at the ends of their dtype;
    float32 is not, and may fall below the darkest pixel or rise above the brightest, as it should at an edge.

    It holds what `gaussian_blur` holds beside its input and its output.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32.
    radius
        The standard deviation of the Gaussian in px, above 0.
    amount
        How much of the difference is added, from 0 to 100; 0 leaves the plane as it is.

    Returns
    -------
    numpy.ndarray
        The same shape and dtype, a new array; integers are rounded half to even. A constant plane stays as it is (in
        float32 but for rounding). In float32, NaN and infinities make NaN or infinities of the square of
        `2 * int(4 * radius + 0.5) + 1` px around them.

    Notes
    -----
    The linear unsharp masking of A. Polesel, G. Ramponi and V. J. Mathews, "Image enhancement via adaptive unsharp
    masking", IEEE Transactions on Image Processing 9 (2000) 505-510, doi:10.1109/83.826787, section I.
    `skimage.filters.unsharp_mask` with `preserve_range=True` gives the same but at the border, where it repeats the
    outermost pixel of the mirror image.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.filters import unsharp_mask
    >>> unsharp_mask(np.array([[10, 10, 10, 50, 50, 50]], np.uint8), radius=0.5)
    array([[10, 10,  6, 54, 50, 50]], dtype=uint8)
    """
    sharpened = np.empty(image.shape, image.dtype)
    if image.dtype == np.float32:
        _convolve(image, radius, sharpened)
        # In strips: what a view has to be copied for stays small.
        for rows in row_strips(image.shape):
            cv2.addWeighted(image[rows], 1 + amount, sharpened[rows], -amount, 0, dst=sharpened[rows])
        return sharpened
    depth = depth_of(image.dtype)
    for rows, pixels, smooth in _blurred_strips(image, radius):
        cv2.addWeighted(pixels, 1 + amount, smooth, -amount, 0, dst=sharpened[rows], dtype=depth)
    return sharpened


def _reach(sigma: float) -> int:
    """Return how far a Gaussian reaches, in px."""
    return int(TRUNCATE * sigma + 0.5)


def _convolve(image: npt.NDArray[Any], sigma: float, out: npt.NDArray[Any]) -> None:
    side = 2 * _reach(sigma) + 1
    cv2.GaussianBlur(image, (side, side), sigmaX=sigma, sigmaY=sigma, dst=out, borderType=cv2.BORDER_REFLECT_101)


def _blurred_strips(
    image: npt.NDArray[Any], sigma: float
) -> Iterator[tuple[slice, npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Yield the rows of an integer plane strip by strip: which they are, their pixels, and these blurred.

    What is yielded lies in two buffers that the next strip is written into.
    """
    radius = _reach(sigma)
    cuts = _strips(len(image), radius, image.itemsize)
    longest = max(stop - start for start, stop in cuts) + 2 * radius
    # Two buffers for all strips. (In place would not do with one: OpenCV 5 copies its input then.)
    pair = np.empty((2, min(longest, len(image)), image.shape[1]), np.float32)
    for start, stop in cuts:
        first, last = max(0, start - radius), min(len(image), stop + radius)
        strip, result = pair[:, : last - first]
        strip[...] = image[first:last]
        _convolve(strip, sigma, result)
        # Rows next to a cut are wrong as far as the Gaussian reaches: the strip was cut with that much to spare.
        kept = slice(start - first, stop - first)
        yield slice(start, stop), strip[kept], result[kept]


def _strips(height: int, radius: int, itemsize: int) -> list[tuple[int, int]]:
    """Cut the rows into equal strips: two of them in float32, with the rows they need, weigh half a plane of it.

    A strip is at least eight times as long as the Gaussian reaches, whatever it weighs: the rows that it needs beside
    its own are computed twice, and must stay few.
    """
    rows = max(height * itemsize // 16 - 2 * radius, 8 * radius, 1)
    count = -(-height // rows)
    edges = [height * number // count for number in range(count + 1)]
    return list(itertools.pairwise(edges))
