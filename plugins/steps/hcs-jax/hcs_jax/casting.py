"""The dtype policy of hcs_core on JAX's arrays: compiled once for each shape and pair of dtypes."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from hcs_operations.portable.dtypes import to_image


def cast(array: jax.Array, dtype: str) -> jax.Array:
    """Return an array in another dtype, as `hcs_core.to_dtype` does; the array itself where it has it."""
    if array.dtype.name == dtype:
        return array
    with jax.enable_x64(True):
        return _cast(array, dtype)


@functools.partial(jax.jit, static_argnames="dtype")
def _cast(array: jax.Array, dtype: str) -> jax.Array:
    cast_array: jax.Array = to_image(array, jnp, dtype, jnp.dtype(dtype))
    return cast_array
