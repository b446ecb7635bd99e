"""Operations on the intensity scale of a plane, for any array library that follows the array API.

What is computed from pixels stays an array, so that all of it can be traced.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from array_api_compat import array_namespace

from hcs_core import to_dtype
from hcs_operations.given import percentile_levels, refuse_empty_range
from hcs_operations.portable.dtypes import brightest, name_of, to_image
from hcs_operations.portable.levels import distance, given_level, pixel_level, place, working
from hcs_operations.portable.ranks import Range, percentile_range


def percentile_normalize(
    image: Any,
    *,
    low: float = 1.0,
    high: float = 99.0,
    limits: str = "plane",
    levels: tuple[float, ...] | None = None,
    dtype: str = "",
) -> Any:
    """Stretch a plane between two percentiles over the whole range of its dtype.

    The percentile `low` becomes 0, `high` the dtype's largest value (1.0 for float32); what lies outside is clipped.
    A plane whose two percentiles are the same number has no contrast to stretch and stays as it is. Percentiles are
    interpolated between pixels as numpy's method `linear` does, and found by sorting: it holds four planes beside its
    input and its output.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    low, high
        In percent of the plane's pixels, from 0 to 100, `low` below `high`.
    limits
        Whose percentiles they are; of all but the `plane` they have to be given.
    levels
        The two grey levels themselves; `None`: the plane's percentiles.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        The same shape and dtype, on the same device; integers are rounded half to even. In float32 the percentiles
        are those of the finite pixels, NaN stays NaN, and infinities become 0 and 1.

    Raises
    ------
    ValueError
        `low` is not below `high`, `levels` are not two, or the first is above the second, or `limits` is not `plane`
        and there are no `levels`.

    Notes
    -----
    Computed in int32 and float32, in which a level between two pixels has all its digits (see
    `hcs_operations.portable.levels`): off by less than a hundredth of a grey level of uint16 before it is rounded.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.intensity import percentile_normalize
    >>> percentile_normalize(np.array([[10, 20, 30]], np.uint8), low=0.0, high=100.0)
    array([[  0, 128, 255]], dtype=uint8)
    """
    given = percentile_levels(low, high, limits, levels)
    xp = array_namespace(image)
    name = dtype or name_of(image.dtype)
    pixels = working(image, xp)
    found = percentile_range(pixels, low, high, xp) if given is None else _given_range(given, pixels, xp)
    stretched = place(pixels, found.low, found.span, xp) * brightest(name)
    return xp.where(found.span == 0, image, to_image(stretched, xp, name, image.dtype))


def _given_range(levels: tuple[float, float], pixels: Any, xp: Any) -> Range:
    first, second = (given_level(value, pixels, xp) for value in levels)
    return Range(low=first, span=distance(first, second, xp))


def rescale_intensity(
    image: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    out_low: float | None = None,
    out_high: float | None = None,
    dtype: str = "",
) -> Any:
    """Map one range of grey levels onto another, and clip what lies outside.

    `low` becomes `out_low`, `high` becomes `out_high`, in between it is linear. With `out_low` above `out_high` the
    plane is inverted. A plane without contrast (all pixels the same, `low` and `high` not given) stays constant: its
    value is clipped into the range from `out_low` to `out_high`. Where the one limit that is given lies beyond all
    pixels, every pixel takes the value that this limit has.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    low, high
        In grey levels; `None`: the plane's own smallest and largest finite pixel.
    out_low, out_high
        In grey levels; `None`: 0 and the dtype's largest value (1.0 for float32).
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        The same shape and dtype, on the same device; integers are rounded half to even. In float32 NaN stays NaN, and
        infinities become `out_low` and `out_high`; a plane without one finite pixel stays as it is unless `low` and
        `high` are both given.

    Raises
    ------
    ValueError
        `low` and `high` are given, and `low` is not below `high`.

    Notes
    -----
    Computed in int32 and float32: off by a few 2**-24 of the larger of `out_low` and `out_high` before it is rounded.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.intensity import rescale_intensity
    >>> rescale_intensity(np.array([[10, 20, 30]], np.uint8), low=0, high=20, out_low=100, out_high=0)
    array([[50,  0,  0]], dtype=uint8)
    """
    refuse_empty_range(low, high)
    xp = array_namespace(image)
    name = dtype or name_of(image.dtype)
    first = 0.0 if out_low is None else float(out_low)
    last = brightest(name) if out_high is None else float(out_high)
    pixels = working(image, xp)
    if low is not None and high is not None:
        return _mapped(image, _given_range((low, high), pixels, xp), first, last, name)
    lowest, highest, some = _extremes(pixels, xp)
    found = _completed(pixels, lowest if low is None else low, highest if high is None else high, xp)
    mapped = _mapped(image, found, first, last, name)
    if low is None and high is None:
        # Without contrast a plane stays constant.
        mapped = xp.where(lowest == highest, _within(image, first, last, name), mapped)
    return xp.where(some, mapped, image)


def _mapped(image: Any, found: Range, first: float, last: float, dtype: str) -> Any:
    """Return an image whose range is mapped onto another."""
    xp = array_namespace(image)
    part = place(working(image, xp), found.low, found.span, xp)
    return to_image(part * (last - first) + first, xp, dtype, image.dtype)


def _within(image: Any, first: float, last: float, dtype: str) -> Any:
    """Return an image clipped between two numbers, as its dtype has them."""
    darkest, brightest_ = to_dtype(np.sort([first, last]), dtype).tolist()
    return array_namespace(image).clip(image, darkest, brightest_)


def _completed(pixels: Any, low: Any, high: Any, xp: Any) -> Range:
    """Return the range to map from levels of which one is given as a number, the others as pixels of each image."""
    start, stop = (
        given_level(float(level), pixels, xp) if isinstance(level, int | float) else pixel_level(level, xp)
        for level in (low, high)
    )
    span = distance(start, stop, xp)
    # All pixels lie at or beyond the limit that is given: any other end beyond it makes all of them that limit.
    empty = span <= 0
    if isinstance(high, int | float):
        start = attrs.evolve(
            start,
            anchor=xp.where(empty, stop.anchor, start.anchor),
            rest=xp.where(empty, stop.rest - 1.0, start.rest),
        )
    return Range(low=start, span=xp.where(empty, xp.ones_like(span), span))


def _extremes(pixels: Any, xp: Any) -> tuple[Any, Any, Any]:
    """Return the smallest and the largest finite pixel of each image, 0 where none is, and whether one is."""
    if not xp.isdtype(pixels.dtype, "real floating"):
        lowest, highest = (find(pixels, axis=(-2, -1), keepdims=True) for find in (xp.min, xp.max))
        return lowest, highest, lowest <= highest
    finite = xp.isfinite(pixels)
    lowest = xp.min(xp.where(finite, pixels, xp.full_like(pixels, math.inf)), axis=(-2, -1), keepdims=True)
    highest = xp.max(xp.where(finite, pixels, xp.full_like(pixels, -math.inf)), axis=(-2, -1), keepdims=True)
    some = lowest <= highest
    nothing = xp.zeros_like(lowest)
    return xp.where(some, lowest, nothing), xp.where(some, highest, nothing), some
