"""What is asked of whole planes, compiled once for each shape and dtype."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp


@jax.jit
def stacked(planes: Sequence[jax.Array | None]) -> jax.Array:
    """Return arrays of one shape and dtype as one, along a new first axis; `None` stands for zeros."""
    first = next(plane for plane in planes if plane is not None)
    return jnp.stack([jnp.zeros_like(first) if plane is None else plane for plane in planes])


@jax.jit
def nonfinite(array: jax.Array) -> jax.Array:
    """Return how many values of an array of floats are NaN or infinite."""
    return jnp.count_nonzero(~jnp.isfinite(array))
