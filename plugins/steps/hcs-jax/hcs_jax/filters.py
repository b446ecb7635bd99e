"""Linear filters, as sums of shifted planes: that is what a compiler makes one pass of.

XLA's own convolution takes twenty times as long on a CPU, and on a GPU may round to fewer digits.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import lax

from hcs_jax.compiling import compiled
from hcs_operations.portable.dtypes import to_image

TRUNCATE = 4.0
"""Where the Gaussian is cut off, in sigmas."""

BLOCK = 16
"""Terms of a sum that are compiled one by one; where there are more, they run in a loop, so many at a time.

Measured on a plane of 2160 x 2160: as fast as all of them one by one, which takes a second to compile.
"""


def _gaussian_blur(image: jax.Array, *, sigma: float = 1.0, dtype: str = "") -> jax.Array:
    """Blur a plane with a Gaussian.

    The same as `hcs_operations.portable.filters.gaussian_blur`, where the operation is described.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    sigma
        The standard deviation in px, above 0; compiled in.
    dtype
        The image's dtype; empty: the array's own.

    Returns
    -------
    jax.Array
        The same shape and dtype.
    """
    return to_image(_blurred(image, sigma), jnp, dtype or image.dtype.name, image.dtype)


def _unsharp_mask(image: jax.Array, *, radius: float = 1.0, amount: float = 1.0, dtype: str = "") -> jax.Array:
    """Sharpen a plane: add what a Gaussian would take away from it.

    The same as `hcs_operations.portable.filters.unsharp_mask`, where the operation is described.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    radius
        The standard deviation of the Gaussian in px, above 0; compiled in.
    amount
        How much of the difference is added.
    dtype
        The image's dtype; empty: the array's own.

    Returns
    -------
    jax.Array
        The same shape and dtype.
    """
    pixels = image.astype(jnp.float32)
    weight = jnp.asarray(amount, jnp.float32)
    sharpened = pixels * (1 + weight) - _blurred(image, radius) * weight
    return to_image(sharpened, jnp, dtype or image.dtype.name, image.dtype)


gaussian_blur = compiled(_gaussian_blur, axes="yx", static=("sigma", "dtype"))
unsharp_mask = compiled(_unsharp_mask, axes="yx", static=("radius", "dtype"))


def _blurred(image: jax.Array, sigma: float) -> jax.Array:
    """Return a plane blurred, in float32."""
    reach = int(TRUNCATE * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    weights /= 2 * weights.sum() - weights[0]
    along = functools.partial(_convolved, weights=weights.astype(np.float32))
    return along(along(image.astype(jnp.float32), axis=0), axis=1)


def _convolved(plane: jax.Array, axis: int, weights: npt.NDArray[np.float32]) -> jax.Array:
    """Return a plane convolved along an axis with what has these weights from its middle on, to either side."""
    reach, length = len(weights) - 1, plane.shape[axis]
    padded = _mirrored(plane, axis, reach)

    def terms(first: Any, count: int, total: jax.Array) -> jax.Array:
        for by in range(count):
            shift = first + by
            after, before = (lax.dynamic_slice_in_dim(padded, reach + to, length, axis) for to in (shift, -shift))
            total += factors[shift] * (after + before)
        return total

    factors = jnp.asarray(weights)
    middle = weights[0] * lax.slice_in_dim(padded, reach, reach + length, axis=axis)
    blocks, rest = divmod(reach, BLOCK)
    total = terms(1, rest, middle)
    if blocks:
        total = lax.fori_loop(0, blocks, lambda block, sums: terms(1 + rest + block * BLOCK, BLOCK, sums), total)
    # Else the sums of both axes would become one, of all pixels of the square.
    return lax.optimization_barrier(total)


def _mirrored(plane: jax.Array, axis: int, reach: int) -> jax.Array:
    """Return a plane with what it mirrors about the centres of its outermost pixels, on both ends of an axis."""
    length = plane.shape[axis]
    if reach < length:
        return jnp.pad(plane, [(reach, reach) if which == axis else (0, 0) for which in (0, 1)], mode="reflect")
    return jnp.take(plane, np.pad(np.arange(length), reach, mode="reflect"), axis=axis)
