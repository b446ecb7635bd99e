"""Counting pixels by value, and pixels by rank, within functions that are being compiled."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

HALF = 1 << 16
"""How many values 16 bits have."""

_SIGN = 1 << 31


def counts(places: Any, bins: int) -> Any:
    """Return how often each of the numbers 0, 1, ... `bins - 1` is in an array, int32; other numbers do not count."""
    return jnp.zeros(bins, jnp.int32).at[places.ravel().astype(jnp.int32)].add(1, mode="drop")


def percentiles(image: Any, percents: tuple[Any, ...], values: int) -> tuple[list[Any], Any]:
    """Return percentiles of a plane as `hcs_operations.percentiles` does, and how many pixels count.

    Parameters
    ----------
    image
        An integer plane whose values are 0 to `values - 1`, or a float32 one, of which finite pixels count.
    percents
        From 0 to 100; they need not be known when this is compiled.
    values
        Of an integer plane; of a float32 one it is not used.

    Returns
    -------
    tuple
        A float64 for each of `percents`, which means nothing where no pixel counts, and an integer.
    """
    if image.dtype.kind == "f":
        return _of_floats(image, percents)
    upto = jnp.cumsum(counts(image, values))
    places = [_place(upto[-1], percent) for percent in percents]
    found = [[jnp.searchsorted(upto, rank, side="right") for rank in ranks] for *ranks, _ in places]
    return _interpolated(found, places), upto[-1]


def _place(count: Any, percent: Any) -> tuple[Any, Any, Any]:
    """Return the two ranks between which a percentile lies, and how far it is from the first to the second."""
    place = (count - 1) * (jnp.asarray(percent, jnp.float64) / 100.0)
    below = jnp.floor(place).astype(jnp.int64)
    return below, jnp.minimum(count - 1, below + 1), place - below


def _interpolated(pixels: list[list[Any]], places: list[Any]) -> list[Any]:
    found = []
    for (first, second), (_, _, part) in zip(pixels, places, strict=True):
        start, end = first.astype(jnp.float64), second.astype(jnp.float64)
        # From the nearer end, as numpy does, so that it is exact at both.
        found.append(
            jnp.where(part < 0.5, start + (end - start) * part, end - (end - start) * (1.0 - part))  # noqa: PLR2004
        )
    return found


def _of_floats(image: Any, percents: tuple[Any, ...]) -> tuple[list[Any], Any]:
    """Select by radix: the upper 16 bits are counted, then the lower ones of pixels that share theirs with a rank."""
    keys = jnp.where(jnp.isfinite(image), _ordered(image), jnp.uint32(0xFFFFFFFF))
    upper, lower = (keys >> 16).astype(jnp.int32), (keys & (HALF - 1)).astype(jnp.int32)
    # The last bin is that of what does not count: no finite number is in it.
    upto = jnp.cumsum(counts(upper, HALF - 1))
    places = [_place(upto[-1], percent) for percent in percents]
    ranks = [rank for *both, _ in places for rank in both]
    bins = [jnp.searchsorted(upto, rank, side="right").astype(jnp.int32) for rank in ranks]
    inside = counts(_first_equal(upper, bins) * HALF + lower, len(bins) * HALF).reshape(len(bins), HALF)
    pixels = []
    for rank, place in zip(ranks, bins, strict=True):
        among = jnp.cumsum(inside[_first_equal(place, bins)])
        before = jnp.where(place > 0, upto[jnp.maximum(place - 1, 0)], 0)
        low = jnp.searchsorted(among, rank - before, side="right").astype(jnp.uint32)
        pixels.append(_numbers((place.astype(jnp.uint32) << 16) | low))
    pairs = [pixels[start : start + 2] for start in range(0, len(pixels), 2)]
    return _interpolated(pairs, places), upto[-1]


def _first_equal(values: Any, bins: list[Any]) -> Any:
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
