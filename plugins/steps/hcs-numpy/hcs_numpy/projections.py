"""Projections along z."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_numpy.means import weighted_mean
from hcs_operations.selection import middle_network
from hcs_operations.strips import row_strips, store

SORTED_BYTES = 1 << 19
"""Bytes of the strips of all planes that are sorted at a time: they fit the second-level cache of a core."""


def mean_projection(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Take the mean along z.

    The sum is taken from the first plane to the last in float64 (in float32 where that is exact). Beside its input
    and its output it holds two strips of half a MiB.

    Parameters
    ----------
    image
        Axes `zyx`, at least one plane; uint8, uint16 or float32.

    Returns
    -------
    numpy.ndarray
        Axes `yx`, the same dtype, a new array even where there is one plane; integers are rounded half to even. In
        float32, a pixel that is NaN in one plane is NaN, and one that is infinite in a plane is infinite (NaN where
        both infinities meet).

    Notes
    -----
    The average intensity projection (ImageJ: Z Project, Average Intensity; Schindelin et al., "Fiji: an open-source
    platform for biological-image analysis", Nature Methods 9 (2012) 676-682, doi:10.1038/nmeth.2019).

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.projections import mean_projection
    >>> mean_projection(np.array([[[1, 7]], [[5, 2]]], np.uint16))
    array([[3, 4]], dtype=uint16)
    """
    return weighted_mean(image, [(z_index, 1.0) for z_index in range(len(image))])


def median_projection(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Take the median along z: of an even number of planes, the mean of the two middle values.

    It sorts strip by strip with minima and maxima of whole rows. Beside its input and its output it holds strips of
    all planes of 0.5 MiB together (a row of each plane, where that is more) and two strips more.

    Parameters
    ----------
    image
        Axes `zyx`, at least one plane; uint8, uint16 or float32.

    Returns
    -------
    numpy.ndarray
        Axes `yx`, the same dtype, a new array even where there is one plane; the mean of two integers is rounded half
        to even. In float32, a pixel that is NaN in one plane is NaN; infinities are the smallest and largest numbers.

    Notes
    -----
    The median intensity projection (ImageJ: Z Project, Median), by the network of `hcs_operations.selection`.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_numpy.projections import median_projection
    >>> median_projection(np.array([[[1, 7]], [[5, 2]], [[3, 250]]], np.uint8))
    array([[3, 7]], dtype=uint8)
    """
    network = middle_network(len(image))
    projection = np.empty(image.shape[1:], image.dtype)
    for rows in row_strips(projection.shape, pixels=SORTED_BYTES // (image.itemsize * len(image))):
        lanes = list(np.array(image[:, rows], order="C"))
        spare = np.empty_like(lanes[0])
        for lower, upper, keeps_smaller, keeps_larger in network:
            first, second = lanes[lower], lanes[upper]
            if keeps_smaller:
                lanes[lower] = np.minimum(first, second, out=spare)
                spare = first
            if keeps_larger:
                np.maximum(first, second, out=second)
        _store_middle(lanes[(len(lanes) - 1) // 2], lanes[len(lanes) // 2], projection[rows])
    return projection


def _store_middle(lower: npt.NDArray[Any], upper: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
    if lower is upper:
        out[...] = lower
        return
    # The median of opposite infinities is NaN, as numpy's; float64, since the sum of two float32 may be too large.
    with np.errstate(invalid="ignore"):
        mean = np.add(lower, upper, dtype=np.float64 if lower.dtype.kind == "f" else np.float32)
    mean *= 0.5
    store(mean, out)
