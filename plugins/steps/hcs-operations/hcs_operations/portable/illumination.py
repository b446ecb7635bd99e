"""Correction of uneven illumination, for any array library that follows the array API."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from hcs_operations.given import as_light, profile_for, unfit_profile
from hcs_operations.portable.dtypes import name_of, to_image
from hcs_operations.portable.host import on_host
from hcs_operations.portable.levels import as_float


def flat_field(image: Any, *, profile: Any = None, dark: float | None = None, dtype: str = "") -> Any:
    """Divide a plane by its illumination: `(image - dark) / (profile / mean of profile)`.

    The profile says how much light each pixel got, in any unit: it is divided by its mean first, so that the plane
    keeps its mean brightness. `dark` is taken away first, and not added again.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    profile
        Axes `yx`, the plane's shape; numbers above 0 of any dtype, taken as float32. An array of the image's library
        on its device, or numpy's, which is brought there.
    dark
        What the camera gives without light, in grey levels; `None`: 0.
    dtype
        The image's dtype by its numpy name; empty: the array's own.

    Returns
    -------
    Any
        The same shape and dtype, on the same device; integers are rounded half to even and clipped. In float32
        negative numbers stay, and so do NaN and infinities, each in its pixel.

    Raises
    ------
    ValueError
        There is no profile, it has another shape than the plane, or a value that is not a finite number above 0.

    Notes
    -----
    Computed in float32. Whether a profile is above 0 is asked of its values, which waits for the device: what can be
    traced with a profile that is not known yet is `evened`.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.illumination import flat_field
    >>> flat_field(np.array([[110, 60]], np.uint16), profile=np.array([[3.0, 1.0]]), dark=10)
    array([[ 67, 100]], dtype=uint16)
    """
    return evened(image, _light(profile, image), dark=dark, dtype=dtype)


def evened(image: Any, light: Any, *, dark: float | None = None, dtype: str = "") -> Any:
    """Return a plane less `dark`, divided by its light over the mean of that: float32 numbers above 0."""
    xp = array_namespace(image)
    # Row by row, and about a number that is near: so few digits are lost in float32.
    near = light[:1, :1]
    mean = near + xp.mean(xp.mean(light - near, axis=-1, keepdims=True), axis=-2, keepdims=True)
    pixels = as_float(image, xp)
    signal = pixels - float(np.float32(dark)) if dark else pixels
    return to_image(signal / (light / mean), xp, dtype or name_of(image.dtype), image.dtype)


def _light(profile: Any, image: Any) -> Any:
    """Return a profile as float32 in an image's library, on its device, checked."""
    xp = array_namespace(image)
    profile = profile_for(profile, tuple(image.shape[-2:]))
    if isinstance(profile, np.ndarray):
        light: Any = as_light(profile)
        if not (np.isfinite(light) & (light > 0)).all():
            raise unfit_profile(profile)
        # A copy: a library may not want what cannot be written to.
        return xp.asarray(light.copy(), device=device(image))
    light = xp.astype(profile, xp.float32)
    if not bool(xp.all(xp.isfinite(light) & (light > 0))):
        raise unfit_profile(on_host(profile))
    return light
