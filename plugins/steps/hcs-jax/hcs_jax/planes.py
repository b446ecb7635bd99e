"""What is asked of whole planes, compiled once for each shape and dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def _stacked(planes: Sequence[Any]) -> Any:
    first = next(plane for plane in planes if plane is not None)
    return jnp.stack([jnp.zeros_like(first) if plane is None else plane for plane in planes])


def _nonfinite(array: Any) -> Any:
    # No sum of what is NaN or infinite is finite, and to sum is the faster.
    return lax.cond(jnp.isfinite(jnp.sum(array)), lambda: 0, lambda: jnp.count_nonzero(~jnp.isfinite(array)))


stacked = jax.jit(_stacked)
"""Returns arrays of one shape and dtype as one, along a new first axis; `None` stands for zeros."""

nonfinite = jax.jit(_nonfinite)
"""Returns how many values of an array of floats are NaN or infinite."""
