"""Maxima of floats among which are NaN."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp


def keeping_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of an image that takes maxima as one that gives NaN where one of its pixels is NaN.

    On a CPU, XLA's maximum along an axis of a large array leaves NaN out, which in a small one it does not.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from hcs_jax.maxima import keeping_nan
    >>> brightest = keeping_nan(lambda image, *, dtype="": image.max(axis=0))
    >>> brightest(jnp.array([[1.0, jnp.nan], [2.0, 3.0]])).tolist()
    [2.0, nan]
    """

    @functools.wraps(function)
    def call(image: Any, **values: Any) -> Any:
        found = function(image, **values)
        if not jnp.issubdtype(image.dtype, jnp.floating):
            return found
        as_maximum = {"method": "max"} if "method" in values else {}
        lost = function(jnp.isnan(image).astype(jnp.uint8), **{**values, "dtype": "uint8", **as_maximum})
        return jnp.where(lost > 0, jnp.nan, found)

    return call
