"""Grey-level morphology."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hcs_jax.compiling import compiled


def _white_tophat(image: jax.Array, *, radius: int = 25, dtype: str = "") -> jax.Array:  # noqa: ARG001
    """Take away from a plane what is larger than a square: the plane less its opening.

    The same as `hcs_operations.portable.morphology.white_tophat`, where the operation is described. Minima and maxima
    are taken along y and along x in turn, each by doubling: that of `2 n` pixels is that of two of `n`.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    radius
        Half the side of the square in px, a whole number of at least 1; compiled in.
    dtype
        The image's dtype, within which the result lies in any case.

    Returns
    -------
    jax.Array
        The same shape and dtype.
    """
    lowest, highest = _ends(image.dtype)
    opened = image
    for pick, outside in ((jnp.minimum, highest), (jnp.maximum, lowest)):
        for axis in (0, 1):
            opened = _slid(opened, axis, min(radius, image.shape[axis] - 1), pick, outside)
    return image - opened


white_tophat = compiled(_white_tophat, axes="yx", static=("radius", "dtype"))


def _ends(dtype: np.dtype[np.generic]) -> tuple[np.generic, np.generic]:
    """Return the smallest and the largest value of a dtype."""
    if dtype.kind == "f":
        return dtype.type(-np.inf), dtype.type(np.inf)
    limits = np.iinfo(dtype)
    return dtype.type(limits.min), dtype.type(limits.max)


def _slid(
    plane: jax.Array, axis: int, reach: int, pick: Callable[[jax.Array, jax.Array], jax.Array], outside: np.generic
) -> jax.Array:
    """Return the minimum or maximum of every pixel and its neighbours along an axis, up to a reach."""
    window = 2 * reach + 1
    found = jnp.pad(plane, [(reach, reach) if which == axis else (0, 0) for which in (0, 1)], constant_values=outside)
    width = 1
    while width < window:
        step = min(width, window - width)
        kept = found.shape[axis] - step
        first, second = (lax.slice_in_dim(found, start, start + kept, axis=axis) for start in (0, step))
        # Each doubling is used twice in the next: fused, they would be computed 2, 4, 8 ... times.
        found = lax.optimization_barrier(pick(first, second))
        width += step
    return found
