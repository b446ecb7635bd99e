"""Linear filters."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from hcs_operations.portable.dtypes import name_of, to_image
from hcs_operations.signatures import TRUNCATE


def gaussian_blur(image: Any, *, sigma: float = 1.0, dtype: str = "") -> Any:
    """Blur a plane with a Gaussian.

    The same as `hcs_operations.portable.filters.gaussian_blur`, where the operation is described, by
    `cupyx.scipy.ndimage.gaussian_filter` in float32.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    sigma
        The standard deviation in px, above 0.
    dtype
        The image's dtype; empty: the array's own.

    Returns
    -------
    cupy.ndarray
        The same shape and dtype, a new array.
    """
    return _as_image(_blurred(image, sigma), image, dtype)


def unsharp_mask(image: Any, *, radius: float = 1.0, amount: float = 1.0, dtype: str = "") -> Any:
    """Sharpen a plane: add what a Gaussian would take away from it.

    The same as `hcs_operations.portable.filters.unsharp_mask`, where the operation is described.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    radius
        The standard deviation of the Gaussian in px, above 0.
    amount
        How much of the difference is added.
    dtype
        The image's dtype; empty: the array's own.

    Returns
    -------
    cupy.ndarray
        The same shape and dtype, a new array.
    """
    pixels = image.astype("float32")
    return _as_image(pixels + (pixels - _blurred(image, radius)) * amount, image, dtype)


def _blurred(image: Any, sigma: float) -> Any:
    """Return planes blurred along y and x, in float32."""
    from cupyx.scipy import ndimage

    along = (*(0.0 for _ in image.shape[:-2]), sigma, sigma)
    return ndimage.gaussian_filter(image, along, output=np.float32, mode="mirror", truncate=TRUNCATE)


def _as_image(values: Any, image: Any, dtype: str) -> Any:
    return to_image(values, array_namespace(values), dtype or name_of(image.dtype), image.dtype)
