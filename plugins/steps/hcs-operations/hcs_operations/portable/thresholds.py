"""Thresholds, for any array library that follows the array API.

A threshold is decided on the host, in float64, by the same lines for every library: so it is the same threshold. That
waits for the device once an image, and cannot be traced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device

from hcs_operations.otsu import float_edges, float_level, integer_levels
from hcs_operations.portable.dtypes import limits, name_of
from hcs_operations.portable.host import on_host
from hcs_operations.portable.levels import working

WHITE = 255


def threshold_otsu(image: Any, *, dtype: str = "") -> Any:
    """Set to 255 what is above Otsu's threshold, and to 0 what is not.

    The threshold is the first grey level at which the variance between the two classes is largest (see
    `hcs_operations.otsu`). Integers have a bin for each value; float32 has 256 of equal width from the smallest to
    the largest finite pixel, and its threshold is the centre of a bin. Pixels are counted by sorting them, of several
    images each in turn.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        The same shape, uint8, on the same device: 0 and 255. In float32 NaN becomes 0, and infinities 0 and 255;
        without one finite pixel all becomes 0.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.thresholds import threshold_otsu
    >>> threshold_otsu(np.array([[10, 12, 90, 95]], np.uint16))
    array([[  0,   0, 255, 255]], dtype=uint8)
    """
    xp = array_namespace(image)
    ends = limits(dtype or name_of(image.dtype))
    pixels = working(image, xp)
    whole = xp.reshape(pixels, (-1, *pixels.shape[-2:]))
    found = [
        _integer_threshold(whole[index, ...], ends[1], xp) if ends else _float_threshold(whole[index, ...], xp)
        for index in range(whole.shape[0])
    ]
    limit = xp.asarray(np.array(found).astype(name_of(pixels.dtype)), device=device(pixels))
    over = xp.reshape(whole > limit[:, None, None], image.shape)
    return xp.astype(over, xp.uint8) * WHITE


def _integer_threshold(pixels: Any, largest: int, xp: Any) -> float:
    ranked = xp.sort(xp.reshape(pixels, (-1,)))
    grey = xp.arange(largest + 1, dtype=ranked.dtype, device=device(ranked))
    return integer_levels(np.diff(on_host(xp.searchsorted(ranked, grey, side="right")), prepend=0))


def _float_threshold(pixels: Any, xp: Any) -> float:
    """Return the threshold of a plane of floats; where no pixel is finite, infinity, above which nothing lies."""
    flat = xp.reshape(pixels, (-1,))
    ranked = xp.sort(xp.where(xp.isfinite(flat), flat, xp.full_like(flat, np.inf)))
    count = int(xp.sum(xp.astype(xp.isfinite(flat), xp.int32)))
    if not count:
        return np.inf
    lowest, highest = float(ranked[0]), float(ranked[count - 1])
    if lowest == highest:
        return lowest
    edges = float_edges(lowest, highest)
    inner = xp.asarray(_not_below(edges[1:-1]).astype(name_of(flat.dtype)), device=device(flat))
    below = on_host(xp.searchsorted(ranked, inner, side="left"))
    return float_level(np.diff(below, prepend=0, append=count), edges)


def _not_below(edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the first float32 that is not below each edge: a float32 is below both or below neither."""
    near = edges.astype(np.float32)
    return np.where(near < edges, np.nextafter(near, np.float32(np.inf)), near)
