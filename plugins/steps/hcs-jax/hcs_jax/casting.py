"""The dtype policy of hcs_core on JAX's arrays; compiled once for each shape and pair of dtypes."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_FLOAT32_BYTES = 4


def cast(array: jax.Array, dtype: str) -> jax.Array:
    """Return an array in another dtype: to an integer, rounded half to even and clipped; else as numpy casts.

    See `hcs_core.to_dtype`, with which it agrees in every value.
    """
    if array.dtype.name == dtype:
        return array
    with jax.enable_x64(True):
        return _cast(array, dtype)


@functools.partial(jax.jit, static_argnames="dtype")
def _cast(array: jax.Array, dtype: str) -> jax.Array:
    return in_dtype(array, dtype)


def in_dtype(array: Any, dtype: str) -> Any:
    """Return the same within a function that is being compiled, with dtypes of 64 bits enabled.

    Parameters
    ----------
    array
        Any shape.
    dtype
        As numpy names it.

    Returns
    -------
    jax.Array
        The same shape.
    """
    wanted = jnp.dtype(dtype)
    if array.dtype == wanted:
        return array
    if wanted.kind not in "iu" or array.dtype == jnp.bool_:
        return array.astype(wanted)
    limits = np.iinfo(wanted)
    if array.dtype.kind in "iu":
        own = np.iinfo(array.dtype)
        # What both can hold: each limit is a number of the array's own dtype.
        lowest, highest = (own.dtype.type(end) for end in (max(limits.min, own.min), min(limits.max, own.max)))
        return jnp.clip(array, lowest, highest).astype(wanted)
    return _whole(array, limits)


def _whole(array: Any, limits: np.iinfo[Any]) -> Any:
    """Return floats as the integers whose limits these are; NaN is 0."""
    # A half float holds no number of uint16's size.
    wide = array.astype(jnp.float32) if array.dtype.itemsize < _FLOAT32_BYTES else array
    rounded = jnp.where(jnp.isnan(wide), 0, jnp.round(wide))
    lowest, highest = wide.dtype.type(limits.min), wide.dtype.type(limits.max)
    if int(highest) <= limits.max:
        return jnp.clip(rounded, lowest, highest).astype(limits.dtype)
    # The highest integer of 32 and 64 bits is no float: the nearest one is one too large.
    below = np.nextafter(highest, wide.dtype.type(0))
    top = limits.dtype.type(limits.max)
    return jnp.where(rounded > below, top, jnp.clip(rounded, lowest, below).astype(limits.dtype))
