"""The plane of a stack that is in best focus."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_operations.signatures import FOCUS_MEASURES
from hcs_operations.strips import row_strips

Image = npt.NDArray[Any]

DIFFERENCED_PIXELS = 1 << 19
"""Pixels of a strip of which only a norm is taken: no result is held, so that large ones do."""


def best_focus_projection(image: Image, *, measure: str = "normalized_variance") -> Image:
    """Keep the one plane of a stack that is in best focus: the one with the largest focus measure.

    Of planes with the same measure the one with the lowest z is kept. Beside its input and its output it holds strips
    of a quarter of a MiB in float32; where the image is not contiguous, copies of strips of 4 MiB at most.

    Parameters
    ----------
    image
        Axes `zyx`, at least one plane; uint8, uint16 or float32.
    measure
        How focus is measured, each of it per plane, means taken over all pixels:

        `normalized_variance`
            The variance over the square of the mean, so that a plane that is `k` times as bright counts the same;
            0 where the mean is 0. An offset (a dark level) lowers it, the same for all planes.
        `tenengrad`
            The mean of the squared gradient, `gy ** 2 + gx ** 2`, by Sobel's 3 x 3 operators.
        `laplacian`
            The mean of the squared Laplacian, by the operator `0 1 0 / 1 -4 1 / 0 1 0`.
        `brenner`
            The mean of the squared differences of pixels that are two apart, along y and along x.

        All but the first grow with the square of the brightness. Tenengrad and Laplacian see the plane mirrored about
        the centre of its outermost pixels.

    Returns
    -------
    numpy.ndarray
        Axes `yx`, the same dtype, a new array: the plane as it is. In float32, a plane with a NaN or an infinity is
        not measured and not chosen.

    Raises
    ------
    ValueError
        No plane can be measured, or no measure is called so.

    Notes
    -----
    F. C. A. Groen, I. T. Young and G. Ligthart, "A comparison of different focus functions for use in autofocus
    algorithms", Cytometry 6 (1985) 81-91, doi:10.1002/cyto.990060202 (variance; divided by the mean only once, as is
    often done, it would grow with the brightness); E. P. Krotkov, "Focusing", International Journal of Computer
    Vision 1 (1988) 223-237, doi:10.1007/BF00127822 (Tenengrad); M. Subbarao, T. Choi and A. Nikzad, "Focusing
    techniques", Optical Engineering 32 (1993) 2824-2836, doi:10.1117/12.147706 (energy of the Laplacian);
    J. F. Brenner et al., "An automated microscope for cytologic research", Journal of Histochemistry and
    Cytochemistry 24 (1976) 100-111, doi:10.1177/24.1.1254907 (along x alone). S. Pertuz, D. Puig and M. A. Garcia
    compare them in "Analysis of focus measure operators for shape-from-focus", Pattern Recognition 46 (2013)
    1415-1432, doi:10.1016/j.patcog.2012.11.011.

    Kernels of this operation in other memory types choose the same plane where the best two measures differ by more
    than 1e-4 of the larger.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.focus import best_focus_projection
    >>> best_focus_projection(np.array([[[5, 6, 5, 6]], [[1, 9, 1, 9]]], np.uint8))
    array([[1, 9, 1, 9]], dtype=uint8)
    """
    if measure not in FOCUS_MEASURES:
        raise ValueError(f"best_focus_projection: measure={measure!r} is none of {', '.join(FOCUS_MEASURES)}.")
    found = [MEASURES[measure](plane) for plane in image]
    scores = [score if math.isfinite(score) else -1.0 for score in found]
    best = max(scores)
    if best < 0:
        raise ValueError(
            f"best_focus_projection: each of the {len(image)} planes has a pixel that is not finite or too large, so "
            "that none can be measured: leave out or replace NaN and infinities in a step before."
        )
    # The first of the best: the lowest z.
    chosen: Image = image[scores.index(best)].copy()
    return chosen


def normalized_variance(plane: Image) -> float:
    """Return the variance of a plane over the square of its mean."""
    mean, variance = _whole_moments(plane) if plane.dtype.kind in "iu" else _float_moments(plane)
    return variance / mean**2 if mean else 0.0


def tenengrad(plane: Image) -> float:
    """Return the mean squared gradient of a plane."""
    squares = [
        _square_sum(cv2.Sobel(strip, cv2.CV_32F, dx, dy)[kept])
        for strip, kept in _strips_with_neighbours(plane)
        for dx, dy in ((1, 0), (0, 1))
    ]
    return sum(squares) / plane.size


def laplacian(plane: Image) -> float:
    """Return the mean squared Laplacian of a plane."""
    squares = [
        _square_sum(cv2.Laplacian(strip, cv2.CV_32F, ksize=1)[kept]) for strip, kept in _strips_with_neighbours(plane)
    ]
    return sum(squares) / plane.size


def brenner(plane: Image) -> float:
    """Return the mean squared difference of pixels two apart, along y and along x."""
    pairs = ((plane[2:], plane[:-2]), (plane[:, 2:], plane[:, :-2]))
    squares = [
        float(cv2.norm(after[rows], before[rows], cv2.NORM_L2SQR))
        for after, before in pairs
        if after.size
        for rows in row_strips(after.shape, pixels=DIFFERENCED_PIXELS)
    ]
    # Of a plane so small that some pixels have no partner, those count where they are none.
    lone = 0.0 * float(plane.sum()) if max(plane.shape) <= LONE else 0.0
    return sum(squares) / plane.size + lone


LONE = 3
"""In a plane of so many rows and columns, or fewer, the pixel in the middle has none two apart."""

MEASURES: dict[str, Callable[[Image], float]] = {
    "normalized_variance": normalized_variance,
    "tenengrad": tenengrad,
    "laplacian": laplacian,
    "brenner": brenner,
}
"""The focus measures by name: of a plane, larger in better focus."""


def _whole_moments(plane: Image) -> tuple[float, float]:
    """Return the mean and the variance of an integer plane, from exact sums."""
    total = squares = 0
    for rows in row_strips(plane.shape):
        # The sums of a strip are below 2**49, so that the whole number is the one next to OpenCV's float64.
        total += round(cv2.sumElems(plane[rows])[0])
        squares += round(_square_sum(plane[rows]))
    return total / plane.size, (plane.size * squares - total**2) / plane.size**2


def _float_moments(plane: Image) -> tuple[float, float]:
    """Return the mean and the variance of a float32 plane.

    In two passes, since the squares of pixels far from 0 would lose the digits of a small variance.
    """
    mean = sum(float(cv2.sumElems(plane[rows])[0]) for rows in row_strips(plane.shape)) / plane.size
    if not math.isfinite(mean):
        return math.nan, math.nan
    squares = sum(_square_sum(plane[rows] - np.float32(mean)) for rows in row_strips(plane.shape))
    # The mean was rounded to be taken away: the squares are about a number that is next to it.
    return mean, max(0.0, squares / plane.size - (mean - float(np.float32(mean))) ** 2)


def _square_sum(values: Image) -> float:
    return float(cv2.norm(values, cv2.NORM_L2SQR))


def _strips_with_neighbours(plane: Image) -> Iterator[tuple[Image, slice]]:
    """Yield strips with a row more above and below, where there is one, and the rows that are the strip's own."""
    for rows in row_strips(plane.shape):
        first = max(0, rows.start - 1)
        yield plane[first : rows.stop + 1], slice(rows.start - first, rows.stop - first)
