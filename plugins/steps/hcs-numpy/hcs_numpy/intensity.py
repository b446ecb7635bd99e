"""Operations on the intensity scale of a plane."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hcs_core import to_dtype
from hcs_operations.given import percentile_levels, refuse_empty_range
from hcs_operations.histograms import extremes
from hcs_operations.percentiles import percentiles
from hcs_operations.portable.dtypes import brightest
from hcs_operations.ranges import range_to_map
from hcs_operations.strips import row_strips


def percentile_normalize(
    image: npt.NDArray[Any],
    *,
    low: float = 1.0,
    high: float = 99.0,
    limits: str = "plane",
    levels: tuple[float, ...] | None = None,
) -> npt.NDArray[Any]:
    """Stretch a plane between two percentiles over the whole range of its dtype.

    The percentile `low` becomes 0, `high` the dtype's largest value (1.0 for float32); what lies outside is
    clipped. A plane whose two percentiles are the same number (a constant one, or one that is nearly all
    background) has no contrast to stretch and stays as it is.

    Beside its input and its output it holds tables of 3 MiB for integers; for float32, half a plane, and at most one
    more for the pixels that share their upper 16 bits with a percentile. A copy comes to it where the image is not
    contiguous.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32.
    low, high
        In percent of the plane's pixels, from 0 to 100, `low` below `high`; interpolated as numpy's method
        `linear` does.
    limits
        Whose percentiles they are: those of the `plane`, or of all planes of the channel in the `well` or on the
        `plate`. The latter two are known in a pipeline only, which estimates `levels` (see `hcs_operations.limits`).
    levels
        The two grey levels themselves, the first below the second; `None`: the plane's percentiles.

    Returns
    -------
    numpy.ndarray
        The same shape and dtype, a new array; integers are rounded half to even. In float32 the percentiles are
        those of the finite pixels, NaN stays NaN, and infinities become 0 and 1; without one finite pixel the
        plane stays as it is.

    Raises
    ------
    ValueError
        `low` is not below `high`, `levels` are not two, or the first is above the second, or `limits` is not `plane`
        and there are no `levels`.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.intensity import percentile_normalize
    >>> percentile_normalize(np.array([[10, 20, 30]], np.uint8), low=0.0, high=100.0)
    array([[  0, 128, 255]], dtype=uint8)
    """
    given = percentile_levels(low, high, limits, levels)
    found = percentiles(image, (low, high)) if given is None else given
    if not found or found[0] == found[1]:
        return image.copy()
    return _stretched(image, found[0], found[1], 0.0, brightest(image.dtype.name))


def rescale_intensity(
    image: npt.NDArray[Any],
    *,
    low: float | None = None,
    high: float | None = None,
    out_low: float | None = None,
    out_high: float | None = None,
) -> npt.NDArray[Any]:
    """Map one range of grey levels onto another, and clip what lies outside.

    `low` becomes `out_low`, `high` becomes `out_high`, in between it is linear: a pixel becomes
    `out_low + (out_high - out_low) * (pixel - low) / (high - low)`, computed in float64. With `out_low` above
    `out_high` the plane is inverted.

    A plane without contrast (all pixels the same, `low` and `high` not given) stays constant: its value is clipped
    into the range from `out_low` to `out_high`. Where the one limit that is given lies beyond all pixels, so that
    nothing is between the two, every pixel takes the value that this limit has.

    Beside its input and its output it holds tables of 2 MiB for integers and two strips of half a MiB for float32;
    a copy comes to it where the image is not contiguous.

    Parameters
    ----------
    image
        Axes `yx`; uint8, uint16 or float32.
    low, high
        In grey levels; `None`: the plane's own smallest and largest finite pixel.
    out_low, out_high
        In grey levels; `None`: 0 and the dtype's largest value (1.0 for float32). What an integer dtype cannot hold
        is clipped to it.

    Returns
    -------
    numpy.ndarray
        The same shape and dtype, a new array; integers are rounded half to even. In float32 NaN stays NaN, and
        infinities become `out_low` and `out_high`; a plane without one finite pixel stays as it is unless `low` and
        `high` are both given.

    Raises
    ------
    ValueError
        `low` and `high` are given, and `low` is not below `high`.

    Notes
    -----
    Linear contrast stretching (R. C. Gonzalez and R. E. Woods, Digital Image Processing, 4th edition, 2018, section
    3.2), with the defaults of `skimage.exposure.rescale_intensity` for planes without negative numbers. Kernels of
    this operation in other memory types agree with it within 1 grey level on integers, and in float32 within 1e-5 of
    the larger of `out_low` and `out_high`.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.intensity import rescale_intensity
    >>> rescale_intensity(np.array([[10, 20, 30]], np.uint8))
    array([[  0, 128, 255]], dtype=uint8)
    >>> rescale_intensity(np.array([[10, 20, 30]], np.uint8), low=0, high=20, out_low=100, out_high=0)
    array([[50,  0,  0]], dtype=uint8)
    """
    refuse_empty_range(low, high)
    first = 0.0 if out_low is None else out_low
    last = brightest(image.dtype.name) if out_high is None else out_high
    if low is None or high is None:
        found = extremes(image)
        if found is None:
            return image.copy()
        if low is None and high is None and found[0] == found[1]:
            lowest, highest = to_dtype(np.sort([first, last]), image.dtype)
            return np.clip(image, lowest, highest, out=image.copy())
        low, high = range_to_map(found, low, high)
    return _stretched(image, low, high, first, last)


def _stretched(image: npt.NDArray[Any], low: float, high: float, out_low: float, out_high: float) -> npt.NDArray[Any]:
    """Map the range from `low` to `high`, which is not empty, onto the other one."""
    if image.dtype.kind == "f":
        return _stretch_floats(image, low, high, out_low, out_high)
    grey = np.arange(np.iinfo(image.dtype).max + 1, dtype=np.float64)
    place = np.clip((grey - low) / (high - low), 0.0, 1.0)
    return cv2.LUT(image, to_dtype(place * (out_high - out_low) + out_low, image.dtype))


def _stretch_floats(
    image: npt.NDArray[Any], low: float, high: float, out_low: float, out_high: float
) -> npt.NDArray[Any]:
    stretched = np.empty(image.shape, image.dtype)
    for rows in row_strips(image.shape):
        # float64: two float32 limits that are close together would lose the digits that tell them apart.
        strip = np.subtract(image[rows], low, dtype=np.float64)
        strip *= 1.0 / (high - low)
        np.clip(strip, 0.0, 1.0, out=strip)
        if (out_low, out_high) != (0.0, 1.0):
            strip *= out_high - out_low
            strip += out_low
        stretched[rows] = strip
    return stretched
