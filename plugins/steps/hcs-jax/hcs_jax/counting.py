"""Counting pixels by value, and finding those of a rank.

Floats are selected by radix: their upper 16 bits are counted, then the lower ones of those pixels that share the
upper ones with a rank that is wanted (Knuth, The Art of Computer Programming 3, section 5.2.5).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from hcs_jax.compiling import compiled

HALF = 1 << 16
"""How many values 16 bits have."""

BITS = 16

_SIGN = 1 << 31


def counts(places: Any, bins: int) -> Any:
    """Return how often each of the numbers 0, 1, ... `bins - 1` is in an array, int32; other numbers do not count."""
    return jnp.zeros(bins, jnp.int32).at[places.ravel().astype(jnp.int32)].add(1, mode="drop")


def percentiles(image: Any, percents: tuple[float, ...], values: int) -> Any:
    """Return percentiles of a plane as `hcs_operations.percentiles` does, and how many pixels count.

    Only the counting is compiled for a plane's shape; what is made of the counts is compiled once.

    Parameters
    ----------
    image
        An integer plane whose values are 0 to `values - 1`, or a float32 one, of which finite pixels count.
    percents
        From 0 to 100.
    values
        Of an integer plane; of a float32 one it is not used.

    Returns
    -------
    tuple
        A tuple of a float64 for each of `percents`, which mean nothing where no pixel counts, and how many do.
    """
    if image.dtype.kind != "f":
        return _of_counts(counted(image, values=values), percents=percents)
    upper = _upper_counts(image)
    bins, ranks = _wanted(upper, percents=percents)
    return _of_bins(upper, inside=_inside_counts(image, bins=bins), bins=bins, ranks=ranks, percents=percents)


def _counted_values(image: Any, *, values: int) -> Any:
    return counts(image, values)


def _percentiles_of_counts(found: Any, *, percents: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    upto = jnp.cumsum(found)
    places = [_place(upto[-1], percent) for percent in percents]
    pixels = [[jnp.searchsorted(upto, rank, side="right") for rank in ranks] for *ranks, _ in places]
    return _interpolated(pixels, places), upto[-1]


def _place(count: Any, percent: Any) -> tuple[Any, Any, Any]:
    """Return the two ranks between which a percentile lies, and how far it is from the first to the second."""
    place = (count - 1) * (jnp.asarray(percent, jnp.float64) / 100.0)
    below = jnp.floor(place).astype(jnp.int64)
    return below, jnp.minimum(count - 1, below + 1), place - below


def _interpolated(pixels: list[list[Any]], places: list[Any]) -> tuple[Any, ...]:
    found = []
    for (first, second), (_, _, part) in zip(pixels, places, strict=True):
        start, end = first.astype(jnp.float64), second.astype(jnp.float64)
        # From the nearer end, as numpy does, so that it is exact at both.
        nearer_first = part < 0.5  # noqa: PLR2004 - half-way
        found.append(jnp.where(nearer_first, start + (end - start) * part, end - (end - start) * (1.0 - part)))
    return tuple(found)


def _counts_of_upper_bits(image: Any) -> Any:
    # The last value stands for what does not count: no finite number has these bits.
    return counts(_keys(image) >> BITS, HALF - 1)


def _bins_with_ranks(upper: Any, *, percents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the ranks around each percentile, and which upper 16 bits the pixels of these ranks have."""
    upto = jnp.cumsum(upper)
    ranks = [rank for percent in percents for rank in _place(upto[-1], percent)[:2]]
    bins = tuple(jnp.searchsorted(upto, rank, side="right").astype(jnp.int32) for rank in ranks)
    before = [jnp.where(place > 0, upto[jnp.maximum(place - 1, 0)], 0) for place in bins]
    return bins, tuple(rank - start for rank, start in zip(ranks, before, strict=True))


def _counts_of_lower_bits(image: Any, *, bins: tuple[Any, ...]) -> Any:
    """Return the counts of the lower 16 bits of the pixels that share their upper ones with a bin, bin by bin."""
    keys = _keys(image)
    places = _first_equal((keys >> BITS).astype(jnp.int32), bins) * HALF + (keys & (HALF - 1)).astype(jnp.int32)
    return counts(places, len(bins) * HALF).reshape(len(bins), HALF)


def _percentiles_of_bins(
    upper: Any, *, inside: Any, bins: tuple[Any, ...], ranks: tuple[Any, ...], percents: tuple[Any, ...]
) -> tuple[tuple[Any, ...], Any]:
    """Return percentiles of floats, of the ranks of pixels within their bins."""
    pixels = []
    for rank, place in zip(ranks, bins, strict=True):
        among = jnp.cumsum(inside[_first_equal(place, bins)])
        low = jnp.searchsorted(among, rank, side="right").astype(jnp.uint32)
        pixels.append(_numbers((place.astype(jnp.uint32) << BITS) | low))
    count = upper.sum()
    pairs = [pixels[start : start + 2] for start in range(0, len(pixels), 2)]
    return _interpolated(pairs, [_place(count, percent) for percent in percents]), count


def _keys(image: Any) -> Any:
    """Return float32 as uint32 in the order of the numbers, what is not finite as the largest."""
    return jnp.where(jnp.isfinite(image), _ordered(image), jnp.uint32(0xFFFFFFFF))


def _first_equal(values: Any, bins: tuple[Any, ...]) -> Any:
    """Return which of some bins is the first that equals a value; the number of bins where none does."""
    found = jnp.full(values.shape, len(bins), jnp.int32)
    for index in reversed(range(len(bins))):
        found = jnp.where(values == bins[index], index, found)
    return found


def _ordered(image: Any) -> Any:
    """Return the bits of float32 as uint32 in the order of the numbers."""
    bits = lax.bitcast_convert_type(image, jnp.uint32)
    return jnp.where(bits >= _SIGN, ~bits, bits | jnp.uint32(_SIGN))


def _numbers(ordered: Any) -> Any:
    """Return the float32 of which these are the bits, in their order."""
    bits = jnp.where(ordered >= _SIGN, ordered & jnp.uint32(_SIGN - 1), ~ordered)
    return lax.bitcast_convert_type(bits, jnp.float32)


counted = compiled(_counted_values, static=("values",), wide=True)
"""Returns how often each of the numbers 0, 1, ... `values - 1` is in a plane."""

_of_counts = compiled(_percentiles_of_counts, wide=True)
_upper_counts = compiled(_counts_of_upper_bits, wide=True)
_wanted = compiled(_bins_with_ranks, wide=True)
_inside_counts = compiled(_counts_of_lower_bits, wide=True)
_of_bins = compiled(_percentiles_of_bins, wide=True)
