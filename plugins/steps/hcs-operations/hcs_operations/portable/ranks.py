"""Percentiles of images in any array library, by sorting."""

from __future__ import annotations

import math
from typing import Any

import attrs

from hcs_operations.portable.levels import Level, as_float, distance


@attrs.frozen(kw_only=True, eq=False)
class Range:
    """Two levels of each image: the lower, and by how much the higher is above it, of shape `(..., 1, 1)`."""

    low: Level
    span: Any


@attrs.frozen(kw_only=True, eq=False)
class _Place:
    """Where a percentile lies: the rank before it, and the parts of the way from there, and to the next rank.

    Arrays of shape `(..., 1)`: int32, and floats.
    """

    rank: Any
    part: Any
    rest: Any


def percentile_range(pixels: Any, low: float, high: float, xp: Any) -> Range:
    """Return two percentiles of each image, interpolated between pixels as numpy's method `linear` does.

    They are 0 where no pixel counts.

    Parameters
    ----------
    pixels
        Axes `yx`, and any in front; int32 or a float, in which NaN and infinities do not count.
    low, high
        In percent, `low` below `high`.
    xp
        The array namespace.

    Notes
    -----
    Nothing of it has to be known on the host, so that it can be traced. The ranks between which a percentile lies
    are exact where every pixel counts. Where some do not, only the device knows how many: ranks are computed in
    float32 there, and are off by a 2**24th of the number of pixels.
    """
    flat = xp.reshape(pixels, (*pixels.shape[:-2], pixels.shape[-2] * pixels.shape[-1]))
    size = flat.shape[-1]
    nothing = xp.zeros_like(flat[..., :1])
    last = xp.astype(nothing, xp.int32) + (size - 1)
    first, second = (_known_place(size, percent, nothing, xp) for percent in (low, high))
    apart: Any = (size - 1) * ((high - low) / 100.0)
    if not xp.isdtype(pixels.dtype, "real floating"):
        return _between(xp.sort(flat, axis=-1), last, first, second, apart, xp)
    finite = xp.isfinite(flat)
    count = xp.sum(xp.astype(finite, xp.int32), axis=-1, keepdims=True, dtype=xp.int32)
    some, last = count <= last, xp.clip(count - 1, 0, None)
    ranks = xp.astype(last, nothing.dtype)
    first = _either(some, _found_place(ranks, low, xp), first, xp)
    second = _either(some, _found_place(ranks, high, xp), second, xp)
    apart = xp.where(some, ranks * ((high - low) / 100.0), nothing + apart)
    # What does not count comes last.
    ranked = xp.sort(xp.where(finite, flat, xp.full_like(flat, math.inf)), axis=-1)
    return _between(ranked, last, first, second, apart, xp)


def _known_place(size: int, percent: float, nothing: Any, xp: Any) -> _Place:
    """Return the place of a percentile of so many pixels; `nothing` is 0, in the shape that the result has."""
    place = (size - 1) * (percent / 100.0)
    rank = math.floor(place)
    zero = as_float(nothing, xp)
    return _Place(
        rank=xp.astype(nothing, xp.int32) + rank, part=zero + (place - rank), rest=zero + (1.0 - (place - rank))
    )


def _found_place(last: Any, percent: float, xp: Any) -> _Place:
    """Return the place of a percentile of as many pixels as a device has counted; `last` is the highest rank."""
    place = last * (percent / 100.0)
    rank = xp.floor(place)
    return _Place(rank=xp.astype(rank, xp.int32), part=place - rank, rest=1.0 - (place - rank))


def _either(where: Any, one: _Place, other: _Place, xp: Any) -> _Place:
    return _Place(
        rank=xp.where(where, one.rank, other.rank),
        part=xp.where(where, one.part, other.part),
        rest=xp.where(where, one.rest, other.rest),
    )


def _between(ranked: Any, last: Any, low: _Place, high: _Place, apart: Any, xp: Any) -> Range:
    """Return the levels at two places of sorted pixels, which are `apart` ranks from each other."""
    lower, gap = _level(ranked, last, low, xp)
    upper, _ = _level(ranked, last, high, xp)
    # Between the same two pixels the distance is not taken from two levels that are rounded.
    span = xp.where(low.rank == high.rank, gap * apart, distance(lower, upper, xp))
    return Range(low=Level(anchor=lower.anchor[..., None], rest=lower.rest[..., None]), span=span[..., None])


def _level(ranked: Any, last: Any, place: _Place, xp: Any) -> tuple[Level, Any]:
    """Return the level at a place, from the nearer of the two pixels around it, and how far these are apart."""
    first, second = _pixel(ranked, last, place.rank, xp), _pixel(ranked, last, place.rank + 1, xp)
    gap = as_float(second - first, xp)
    nearer_first = place.part < 0.5  # noqa: PLR2004 - half-way
    anchor = xp.where(nearer_first, first, second)
    return Level(anchor=anchor, rest=xp.where(nearer_first, gap * place.part, -gap * place.rest)), gap


def _pixel(ranked: Any, last: Any, rank: Any, xp: Any) -> Any:
    """Return the pixel of a rank, of those up to the last; 0 where no pixel counts."""
    index = xp.__array_namespace_info__().default_dtypes()["indexing"]
    found = xp.take_along_axis(ranked, xp.astype(xp.minimum(rank, last), index), axis=-1)
    return xp.where(xp.isfinite(found), found, xp.zeros_like(found))
