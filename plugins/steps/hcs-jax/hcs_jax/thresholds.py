"""Thresholds: a plane into black and white."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hcs_jax.compiling import compiled, each_image
from hcs_jax.counting import counted, counts
from hcs_operations.otsu import FLOAT_BINS, TIED
from hcs_operations.portable.dtypes import limits


def _threshold_otsu(image: Any, *, dtype: str = "") -> Any:
    """Set to 255 what is above Otsu's threshold, and to 0 what is not.

    The same as `hcs_operations.portable.thresholds.threshold_otsu`, where the operation is described. Pixels are
    counted, not sorted; nothing is decided on the host. The variance between the classes is computed in float64.

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
    if ends is None:
        found, levels, highest = _binned(image)
    else:
        found = counted(image, values=ends[1] + 1)
        # A plane of one value has no two classes, and nothing above its largest value.
        levels, highest = None, ends[1]
    return _above(image, threshold=_best_level(found, levels=levels, highest=highest))


threshold_otsu = each_image(_threshold_otsu, "yx")


def _of_floats(image: Any) -> tuple[Any, Any, Any]:
    """Return how many finite pixels lie in each of 256 bins between their extremes, the bins' centres, and their end.

    Where all pixels are the same they have no bins, and the end is what none is above.
    """
    pixels = image.astype(jnp.float64)
    finite = jnp.isfinite(pixels)
    lowest = jnp.min(jnp.where(finite, pixels, jnp.inf))
    highest = jnp.max(jnp.where(finite, pixels, -jnp.inf))
    contrast = lowest < highest
    edges = lowest + (highest - lowest) * (jnp.arange(FLOAT_BINS + 1) / FLOAT_BINS)
    edges = edges.at[FLOAT_BINS].set(highest)
    # The division may put a pixel that lies on an edge on its other side.
    bins = jnp.clip((pixels - lowest) / (highest - lowest) * FLOAT_BINS, 0, FLOAT_BINS - 1).astype(jnp.int32)
    bins -= pixels < edges[bins]
    bins += (pixels >= edges[bins + 1]) & (bins < FLOAT_BINS - 1)
    found = counts(jnp.where(finite & contrast, bins, FLOAT_BINS), FLOAT_BINS)
    # Without a finite pixel, infinities are not above anything.
    return found, (edges[:-1] + edges[1:]) / 2, jnp.where(finite.any(), highest, jnp.inf)


def _otsu(found: Any, *, levels: Any, highest: Any) -> Any:
    """Return what `hcs_operations.otsu.best_level` does; `highest` where all that is counted is at one level.

    It is compiled once for all shapes of planes. `levels` are 0, 1, ... where they are `None`.
    """
    number = found.astype(jnp.float64)
    grey = jnp.arange(found.shape[0], dtype=jnp.float64) if levels is None else levels
    below, upto = jnp.cumsum(number), jnp.cumsum(number * grey)
    above, after = below[-1] - below, upto[-1] - upto
    parts = (below > 0) & (above > 0)
    apart = upto / jnp.where(parts, below, 1.0) - after / jnp.where(parts, above, 1.0)
    variance = jnp.where(parts, below * above * apart**2, -1.0)
    best = jnp.argmax(variance >= variance.max() * (1.0 - TIED))
    return jnp.where(parts.any(), grey[best], highest)


def _white_above(image: Any, *, threshold: Any) -> Any:
    return jnp.where(image > threshold.astype(image.dtype), 255, 0).astype(jnp.uint8)


_binned = compiled(_of_floats, wide=True)
_best_level = compiled(_otsu, wide=True)
_above = compiled(_white_above, wide=True)
