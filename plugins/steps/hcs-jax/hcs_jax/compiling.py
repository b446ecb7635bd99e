"""Kernels that are compiled: once for each shape, dtype and set of static parameters, and kept while the process runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any

import jax


def compiled(
    function: Callable[..., jax.Array], *, axes: str, static: Collection[str] = ()
) -> Callable[..., jax.Array]:
    """Return a function of one image as a compiled one, which also takes several images along an axis in front.

    Dtypes of 64 bits are enabled in it, so that it may compute in float64; outside of it nothing changes.

    Parameters
    ----------
    function
        `function(image, *, parameter=...)`, in which only static parameters decide what is computed.
    axes
        The axes of one image.
    static
        The parameters that are compiled in. The others are numbers, arrays, tuples of them, or `None`, and another
        value of such a one is not compiled anew.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from hcs_jax.compiling import compiled
    >>> def cut(image, *, rows=1):
    ...     return image[:rows]
    >>> cut = compiled(cut, axes="yx", static=("rows",))
    >>> cut(jnp.ones((4, 5)), rows=2).shape, cut(jnp.ones((3, 4, 5))).shape
    ((2, 5), (3, 1, 5))
    """

    @functools.partial(jax.jit, static_argnames=tuple(static))
    def run(image: jax.Array, **values: Any) -> jax.Array:
        of_one = functools.partial(function, **values)
        return jax.vmap(of_one)(image) if image.ndim > len(axes) else of_one(image)

    @functools.wraps(function)
    def call(image: jax.Array, **values: Any) -> jax.Array:
        with jax.enable_x64(True):
            return run(image, **values)

    return call
