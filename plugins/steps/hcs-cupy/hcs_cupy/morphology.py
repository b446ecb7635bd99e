"""Grey-level morphology."""

from __future__ import annotations

from typing import Any

from cupyx.scipy import ndimage


def white_tophat(image: Any, *, radius: int = 25, dtype: str = "") -> Any:  # noqa: ARG001 - it lies within it
    """Take away from a plane what is larger than a square: the plane less its opening.

    The same as `hcs_operations.portable.morphology.white_tophat`, where the operation is described, by
    `cupyx.scipy.ndimage.minimum_filter1d` and `maximum_filter1d` along y and x in turn. Their time grows with the
    radius.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    radius
        Half the side of the square in px, a whole number of at least 1.
    dtype
        The image's dtype, within which the result lies in any case.

    Returns
    -------
    cupy.ndarray
        The same shape and dtype, a new array.
    """
    opened = image
    for extreme in (ndimage.minimum_filter1d, ndimage.maximum_filter1d):
        for axis in (-2, -1):
            # No further than any pixel can see.
            reach = min(radius, image.shape[axis] - 1)
            opened = extreme(opened, 2 * reach + 1, axis=axis, mode="nearest")
    return image - opened
