"""The dtype policy of hcs_core on JAX's arrays: compiled once for each shape and pair of dtypes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hcs_operations.portable.dtypes import to_image


def cast(array: Any, dtype: str) -> Any:
    """Return an array in another dtype, as `hcs_core.to_dtype` does; the array itself where it has it."""
    if array.dtype.name == dtype:
        return array
    with jax.enable_x64(True):
        return _compiled(array, dtype)


def _cast(array: Any, dtype: str) -> Any:
    if dtype == "bool" and jnp.issubdtype(array.dtype, jnp.floating):
        return _magnitude_bits(array) != 0
    if dtype == "float64" and array.dtype == jnp.float32:
        return _doubled_digits(array)
    return to_image(array, jnp, dtype, jnp.dtype(dtype))


_compiled = jax.jit(_cast, static_argnames="dtype")


def _magnitude_bits(array: Any) -> Any:
    """Return the bits of floats less their signs, as integers: else the smallest are 0 to XLA on a CPU."""
    bits = lax.bitcast_convert_type(array, f"uint{8 * array.dtype.itemsize}")
    return bits & np.iinfo(f"int{8 * array.dtype.itemsize}").max


def _doubled_digits(array: Any) -> Any:
    """Return float32 as float64, the smallest numbers too."""
    magnitude, limits = _magnitude_bits(array), np.finfo(np.float32)
    tiny = magnitude.astype(jnp.float64) * float(limits.smallest_subnormal)
    small = magnitude < limits.smallest_normal.view(np.uint32)
    return jnp.where(small, jnp.where(jnp.signbit(array), -tiny, tiny), array.astype(jnp.float64))
