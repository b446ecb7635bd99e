"""Correction of uneven illumination."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hcs_jax.compiling import compiled
from hcs_operations.given import as_light, profile_for, unfit_profile
from hcs_operations.portable.dtypes import to_image


def flat_field(image: Any, *, profile: Any = None, dark: float | None = None, dtype: str = "") -> Any:
    """Divide a plane by its illumination: `(image - dark) / (profile / mean of profile)`.

    The same as `hcs_operations.portable.illumination.flat_field`, where the operation is described. Profile and dark
    level are no part of what is compiled.

    Parameters
    ----------
    image
        Axes `yx`, or `byx` for several planes.
    profile
        Axes `yx`, the plane's shape; numbers above 0, in JAX or in numpy.
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
    profile = profile_for(profile, image.shape[-2:])
    # Numbers too large for float32, and what has 64 bits, are numpy's to round.
    light = as_light(profile) if isinstance(profile, np.ndarray) else profile.astype(jnp.float32)
    even, is_fit = _evened(light)
    # It waits here until the device has looked at the profile.
    if not bool(is_fit):
        raise unfit_profile(np.asarray(profile))
    return _divided(image, even=even, dark=float(dark or 0.0), dtype=dtype)


def _even(light: Any) -> tuple[Any, Any]:
    """Return a profile divided by its mean, and whether it is one."""
    # Row by row, and about a number that is near: so few digits are lost in float32.
    near = light[0, 0]
    mean = near + (light - near).mean(axis=1).mean()
    return light / mean, (jnp.isfinite(light) & (light > 0)).all()


def _lit_evenly(image: Any, *, even: Any, dark: Any, dtype: str) -> Any:
    return to_image((image.astype(jnp.float32) - dark) / even, jnp, dtype or image.dtype.name, image.dtype)


_evened = jax.jit(_even)
_divided = compiled(_lit_evenly, static=("dtype",))
