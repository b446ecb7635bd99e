"""Thresholds: a plane into black and white."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hcs_jax.compiling import compiled, each_image
from hcs_jax.counting import counts
from hcs_operations.otsu import FLOAT_BINS, TIED
from hcs_operations.portable.dtypes import limits


def _threshold_otsu(image: Any, *, dtype: str = "") -> Any:
    """Set to 255 what is above Otsu's threshold, and to 0 what is not.

    The same as `hcs_operations.portable.thresholds.threshold_otsu`, where the operation is described. The variance
    between the classes is computed in float64.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    dtype
        The image's dtype; empty: the array's own.

    Returns
    -------
    jax.Array
        The same shape, uint8.
    """
    ends = limits(dtype or image.dtype.name)
    threshold = _float_threshold(image) if ends is None else _whole_threshold(image, ends[1] + 1)
    return jnp.where(image > threshold, 255, 0).astype(jnp.uint8)


threshold_otsu = compiled(each_image(_threshold_otsu, "yx"), static=("dtype",), wide=True)


def _whole_threshold(image: Any, values: int) -> Any:
    # A plane of one value has no two classes, and nothing above its largest value.
    levels = jnp.arange(values, dtype=jnp.float64)
    return _otsu(counts(image, values), levels, image.max().astype(jnp.float64)).astype(image.dtype)


def _float_threshold(image: Any) -> Any:
    """Return the threshold of the finite pixels, of 256 bins between their extremes."""
    pixels = image.astype(jnp.float64)
    finite = jnp.isfinite(pixels)
    lowest = jnp.min(jnp.where(finite, pixels, jnp.inf))
    highest = jnp.max(jnp.where(finite, pixels, -jnp.inf))
    edges = lowest + (highest - lowest) * (jnp.arange(FLOAT_BINS + 1) / FLOAT_BINS)
    edges = edges.at[FLOAT_BINS].set(highest)
    # The division may put a pixel that lies on an edge on its other side.
    bins = jnp.clip((pixels - lowest) / (highest - lowest) * FLOAT_BINS, 0, FLOAT_BINS - 1).astype(jnp.int32)
    bins -= pixels < edges[bins]
    bins += (pixels >= edges[bins + 1]) & (bins < FLOAT_BINS - 1)
    counted = counts(jnp.where(finite, bins, FLOAT_BINS), FLOAT_BINS)
    found = _otsu(counted, (edges[:-1] + edges[1:]) / 2, highest)
    # Without contrast, all pixels are the highest one; without a finite one, infinities are not above anything.
    return jnp.where(lowest < highest, found, jnp.where(finite.any(), highest, jnp.inf)).astype(image.dtype)


def _otsu(counted: Any, levels: Any, highest: Any) -> Any:
    """Return what `hcs_operations.otsu.best_level` does; the highest where all that is counted is at one level."""
    number = counted.astype(jnp.float64)
    moments = number * levels
    below, upto = jnp.cumsum(number), jnp.cumsum(moments)
    above, after = number.sum() - below, moments.sum() - upto
    parts = (below > 0) & (above > 0)
    apart = upto / jnp.where(parts, below, 1.0) - after / jnp.where(parts, above, 1.0)
    variance = jnp.where(parts, below * above * apart**2, -1.0)
    best = jnp.argmax(variance >= variance.max() * (1.0 - TIED))
    return jnp.where(parts.any(), levels[best], highest)
