"""Grey-level morphology."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

LARGE_RADIUS = 256
"""Above it a square is taken as a row and a column in turn, which is the same and needs no large mask."""


STRIPS = 8
"""Strips in which the opening is finished."""


def white_tophat(image: npt.NDArray[Any], *, radius: int = 25) -> npt.NDArray[Any]:
    """Take away from a plane what is larger than a square: the plane less its opening.

    The square is `2 * radius + 1` px wide. Beyond the border there is nothing: a minimum or maximum is that of the
    part of the square that lies on the plane, which is the same as repeating the outermost pixels (`nearest` in
    scipy). So the result is never negative, and that of a constant plane is 0 everywhere.

    Beside its input and its output it holds strips that weigh half a plane (three of 6 radius rows, where that is
    more).

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32 without NaN: near NaN the result is not defined.
    radius
        Half the side of the square in px, a whole number of at least 1.

    Returns
    -------
    numpy.ndarray
        The same shape and dtype, a new array.

    Notes
    -----
    F. Meyer's top-hat transformation (Serra, Image Analysis and Mathematical Morphology, 1982, chapter 12). OpenCV's
    time grows with the radius.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.morphology import white_tophat
    >>> white_tophat(np.array([[5, 5, 9, 5, 5, 5, 8, 8, 8, 8]], np.uint8), radius=1)
    array([[0, 0, 4, 0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    elements = _square(image.shape, radius)
    result: npt.NDArray[Any] = image
    for element in elements:
        result = cv2.erode(result, element)
    _take_away_dilation(image, result, elements, reach=min(radius, len(image) - 1))
    return result


def _take_away_dilation(
    image: npt.NDArray[Any], eroded: npt.NDArray[Any], elements: list[npt.NDArray[np.uint8]], reach: int
) -> None:
    """Replace an eroded plane, strip by strip, by the image less its dilation: a plane less is held than at once."""
    height = len(image)
    rows = max(height // STRIPS, 4 * reach, 1)
    before = eroded[:0]
    for start in range(0, height, rows):
        stop = min(height, start + rows)
        opened = np.concatenate((before, eroded[start : stop + reach]))
        for element in elements:
            opened = cv2.dilate(opened, element)
        opened = opened[len(before) : len(before) + stop - start]
        # The next strip needs these rows as they were.
        before = eroded[max(start, stop - reach) : stop].copy()
        eroded[start:stop] = cv2.subtract(image[start:stop], opened)


def _square(shape: tuple[int, ...], radius: int) -> list[npt.NDArray[np.uint8]]:
    """Return the structuring elements that make the square, no larger than any pixel of the plane can see."""
    high, wide = (2 * min(radius, length - 1) + 1 for length in shape)
    if radius <= LARGE_RADIUS:
        return [np.ones((high, wide), np.uint8)]
    return [np.ones((1, wide), np.uint8), np.ones((high, 1), np.uint8)]
