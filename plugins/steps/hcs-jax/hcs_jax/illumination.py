"""Correction of uneven illumination."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy.typing as npt

from hcs_jax.compiling import compiled
from hcs_operations.given import even_light
from hcs_operations.portable.dtypes import to_image


def flat_field(
    image: jax.Array, *, profile: npt.NDArray[Any] | None = None, dark: float | None = None, dtype: str = ""
) -> jax.Array:
    """Divide a plane by its illumination: `(image - dark) / (profile / mean of profile)`.

    The same as `hcs_operations.portable.illumination.flat_field`, where the operation is described. The profile is
    checked on the host, and is no part of what is compiled: every plane size is compiled once, for all profiles.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    profile
        Axes `yx`, numpy's array of numbers above 0; the plane's shape.
    dark
        What the camera gives without light, in grey levels; `None`: 0.
    dtype
        The image's dtype; empty: the array's own.

    Returns
    -------
    jax.Array
        The same shape and dtype.

    Raises
    ------
    ValueError
        There is no profile, it has another shape than the plane, or a value that is not a finite number above 0.
    """
    even = even_light(profile, image.shape[-2:])
    return _divided(image, even=even, dark=float(dark or 0.0), dtype=dtype)


def _lit_evenly(image: jax.Array, *, even: jax.Array, dark: jax.Array, dtype: str) -> jax.Array:
    return to_image((image.astype(jnp.float32) - dark) / even, jnp, dtype or image.dtype.name, image.dtype)


_divided = compiled(_lit_evenly, static=("dtype",))
