"""Projections along z, for any array library that follows the array API."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from hcs_operations.portable.dtypes import limits, name_of, to_image
from hcs_operations.portable.quotients import LARGEST_SUM, rounded_quotient
from hcs_operations.selection import middle_network


def max_projection(image: Any, *, dtype: str = "") -> Any:
    """Keep the brightest value along z.

    Parameters
    ----------
    image
        Axes `zyx`, and any in front, at least one plane; uint8, uint16 or float32, or what its library holds them in.
    dtype
        The image's dtype by its numpy name, which makes no difference here.

    Returns
    -------
    Any
        Axes `yx`, and those in front; the same dtype, on the same device. In float32, a pixel that is NaN in one
        plane is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.projections import max_projection
    >>> max_projection(np.array([[[1, 7]], [[5, 2]]], np.uint16))
    array([[5, 7]], dtype=uint16)
    """
    del dtype
    return array_namespace(image).max(image, axis=-3)


def mean_projection(image: Any, *, dtype: str = "") -> Any:
    """Take the mean along z.

    Integers are added up and divided as integers: the result is exact, in int32, up to 32,768 planes of uint16.
    Floats are added in float32, each plane divided before, so that no sum is too large: it is off by a 2**24th of the
    largest value for each plane at most, and by far less in the middle.

    Parameters
    ----------
    image
        Axes `zyx`, and any in front, at least one plane; uint8, uint16 or float32, or what its library holds them in.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        Axes `yx`, and those in front; the same dtype, on the same device; integers are rounded half to even. In
        float32, a pixel that is NaN in one plane is NaN, and one that is infinite in a plane is infinite (NaN where
        both infinities meet).

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.projections import mean_projection
    >>> mean_projection(np.array([[[1, 7]], [[5, 2]]], np.uint16))
    array([[3, 4]], dtype=uint16)
    """
    xp = array_namespace(image)
    name, count = dtype or name_of(image.dtype), image.shape[-3]
    ends = limits(name)
    if ends is not None and count * ends[1] <= LARGEST_SUM:
        total = xp.sum(image, axis=-3, dtype=xp.int32)
        return xp.astype(rounded_quotient(total, count, xp), image.dtype)
    first, *others = (xp.astype(image[..., z_index, :, :], xp.float32) / count for z_index in range(count))
    mean = first
    for part in others:
        mean = mean + part
    return to_image(mean, xp, name, image.dtype)


def median_projection(image: Any, *, dtype: str = "") -> Any:
    """Take the median along z: of an even number of planes, the mean of the two middle values.

    It compares whole planes, by the network of `hcs_operations.selection`, and holds up to two stacks beside its
    input.

    Parameters
    ----------
    image
        Axes `zyx`, and any in front, at least one plane; uint8, uint16 or float32, or what its library holds them in.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        Axes `yx`, and those in front; the same dtype, on the same device; the mean of two integers is rounded half to
        even. In float32, a pixel that is NaN in one plane is NaN; infinities are the smallest and largest numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.projections import median_projection
    >>> median_projection(np.array([[[1, 7]], [[5, 2]], [[3, 250]]], np.uint8))
    array([[3, 7]], dtype=uint8)
    """
    xp = array_namespace(image)
    count = image.shape[-3]
    lanes = [image[..., z_index, :, :] for z_index in range(count)]
    for lower, upper, keeps_smaller, keeps_larger in middle_network(count):
        first, second = lanes[lower], lanes[upper]
        if keeps_smaller:
            lanes[lower] = xp.minimum(first, second)
        if keeps_larger:
            lanes[upper] = xp.maximum(first, second)
    below, above = lanes[(count - 1) // 2], lanes[count // 2]
    if count % 2:
        # A single plane is the image's own.
        return xp.asarray(below, copy=True) if count == 1 else below
    if limits(dtype or name_of(image.dtype)) is None:
        # Halves first: the sum of two floats may be too large.
        return below * 0.5 + above * 0.5
    total = xp.astype(below, xp.int32) + xp.astype(above, xp.int32)
    return xp.astype(rounded_quotient(total, 2, xp), image.dtype)
