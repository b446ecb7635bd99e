"""Correction of uneven illumination."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_core import to_dtype
from hcs_numpy.depths import depth_of
from hcs_operations.given import as_light, profile_for, unfit_profile
from hcs_operations.strips import row_strips

STRIP_PIXELS = 1 << 19
"""Pixels of a strip that is corrected at once; measured: a quarter as many take a fifth more time."""

SUMMED_PIXELS = 1 << 17
"""Pixels of a strip of the profile that is looked at."""

ROUNDED_BELOW = 2.0**30
"""What OpenCV rounds and clips rightly, with a bit to spare: larger numbers wrap."""


def flat_field(
    image: npt.NDArray[Any], *, profile: npt.NDArray[Any] | None = None, dark: float | None = None
) -> npt.NDArray[Any]:
    """Divide a plane by its illumination: `(image - dark) / (profile / mean of profile)`.

    The profile says how much light each pixel got, in any unit: it is divided by its mean first, so that the plane
    keeps its mean brightness. Arithmetic is float32. Beside its input and its output it holds a strip of
    2 MiB where there is something to take away; further ones where a dtype has to be changed or an array is not
    contiguous.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32.
    profile
        Axes `yx`, the plane's shape; numbers above 0 of any dtype, taken as float32. It is not changed. In a pipeline
        it need not be given: it is estimated from the plate's own images (see `hcs_operations.shading`).
    dark
        What the camera gives without light, in grey levels; it is taken away first, and not added again. `None`: 0.

    Returns
    -------
    numpy.ndarray
        The same shape and dtype, a new array; integers are rounded half to even and clipped, so that what is darker
        than `dark` becomes 0. In float32 negative numbers stay, and so do NaN and infinities, each in its pixel.

    Raises
    ------
    ValueError
        There is no profile, it has another shape than the plane, or a value that is not a finite number above 0.

    Notes
    -----
    S. Singh, M.-A. Bray, T. R. Jones and A. E. Carpenter, "Pipeline for illumination correction of images for
    high-throughput microscopy", Journal of Microscopy 256 (2014) 231-236, doi:10.1111/jmi.12178.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.illumination import flat_field
    >>> flat_field(np.array([[110, 60]], np.uint16), profile=np.array([[3.0, 1.0]]), dark=10)
    array([[ 67, 100]], dtype=uint16)
    """
    profile = profile_for(profile, image.shape)
    offset = dark or 0.0
    mean, smallest = _mean_and_smallest(profile)
    depth = depth_of(image.dtype)
    largest = (_largest(image.dtype) + abs(offset)) * (mean / smallest)
    corrected = np.empty(image.shape, image.dtype)
    strips = list(row_strips(image.shape, pixels=STRIP_PIXELS))
    lit = np.empty(image[strips[0]].shape, np.float32) if offset else None
    for rows in strips:
        # Floats are neither rounded nor clipped, so that none is too large for OpenCV.
        pixels = image[rows] if lit is None else _less(image[rows], offset, lit)
        light = as_light(profile[rows])
        if largest < ROUNDED_BELOW:
            cv2.divide(pixels, light, dst=corrected[rows], scale=mean, dtype=depth)
        else:
            corrected[rows] = to_dtype(cv2.divide(pixels, light, scale=mean, dtype=cv2.CV_32F), image.dtype)
    return corrected


def _less(image: npt.NDArray[Any], offset: float, out: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return pixels less a number in float32, in a buffer that is used again."""
    lit = out[: len(image)]
    # In two steps: numpy casts and subtracts at once in small pieces, which takes twice as long.
    np.copyto(lit, image)
    lit -= np.float32(offset)
    return lit


def _largest(dtype: np.dtype[Any]) -> float:
    """Return the largest number that is to be rounded: none in a float."""
    return 0.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def _mean_and_smallest(profile: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the mean and the smallest value of a profile, checked."""
    total, smallest = 0.0, math.inf
    for rows in row_strips(profile.shape, pixels=SUMMED_PIXELS):
        light = as_light(profile[rows])
        total += cv2.sumElems(light)[0]
        smallest = min(smallest, _smallest(light))
    if not smallest > 0 or not math.isfinite(total):
        raise unfit_profile(profile)
    return total / profile.size, smallest


def _smallest(light: npt.NDArray[np.float32]) -> float:
    """Return the smallest number where all are above 0, and else one that is not: but for NaN, which a sum shows."""
    # Above 0 the bits of floats, taken as integers, are in the order of the numbers; those below 0 are negative. That
    # is faster than a minimum of floats, which looks for NaN.
    return float(light.view(np.int32).min().view(np.float32))
