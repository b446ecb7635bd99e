"""Kernels that are compiled: once for each shape, dtype and set of static parameters, and kept from then on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any

import jax


def compiled(function: Callable[..., Any], static: Collection[str] = (), *, wide: bool = False) -> Callable[..., Any]:
    """Return a function of an image as a compiled one.

    Parameters
    ----------
    function
        `function(image, *, parameter=...)`, in which only static parameters decide what is computed.
    static
        The parameters that are compiled in; a list is taken as a tuple. The others are numbers, arrays, tuples of
        them or `None`, and another value of such a one is not compiled anew.
    wide
        Whether it computes in dtypes of 64 bits, which are then enabled in it, and in it alone.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from hcs_jax.compiling import compiled
    >>> def cut(image, *, rows=1):
    ...     return image[:rows]
    >>> compiled(cut, ("rows",))(jnp.ones((4, 5)), rows=2).shape
    (2, 5)
    """
    run = jax.jit(function, static_argnames=tuple(static))

    @functools.wraps(function)
    def call(image: Any, **values: Any) -> Any:
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        with jax.enable_x64(True) if wide else nullcontext():
            return run(image, **given)

    return call


def each_image(function: Callable[..., Any], axes: str) -> Callable[..., Any]:
    """Return a function of one image as one that also takes several, along an axis in front of its axes.

    One after the other: nothing is compiled for how many they are.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from hcs_jax.compiling import each_image
    >>> each_image(lambda image: image.sum(), "yx")(jnp.ones((3, 4, 5))).tolist()
    [20.0, 20.0, 20.0]
    """

    @functools.wraps(function)
    def call(image: Any, **values: Any) -> Any:
        if image.ndim == len(axes):
            return function(image, **values)
        return jax.numpy.stack([function(image[index], **values) for index in range(image.shape[0])])

    return call
