"""Correction of uneven illumination, for any array library that follows the array API."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device

from hcs_operations.given import even_light
from hcs_operations.portable.dtypes import name_of, to_image
from hcs_operations.portable.levels import as_float


def flat_field(
    image: Any, *, profile: npt.NDArray[Any] | None = None, dark: float | None = None, dtype: str = ""
) -> Any:
    """Divide a plane by its illumination: `(image - dark) / (profile / mean of profile)`.

    What it means is said in `hcs_numpy.illumination.flat_field`.

    Parameters
    ----------
    image
        Axes `yx`, and any in front; uint8, uint16 or float32, or what its library holds them in.
    profile
        Axes `yx`, the plane's shape; numpy's array, as parameters are given, of numbers above 0. It is checked,
        divided by its mean and brought to the image's device in each call.
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
    Computed in float32: off by a 2**22th of the value before it is rounded.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.illumination import flat_field
    >>> flat_field(np.array([[110, 60]], np.uint16), profile=np.array([[3.0, 1.0]]), dark=10)
    array([[ 67, 100]], dtype=uint16)
    """
    xp = array_namespace(image)
    even = xp.asarray(even_light(profile, tuple(image.shape[-2:])), device=device(image))
    pixels = as_float(image, xp)
    signal = pixels - float(np.float32(dark)) if dark else pixels
    return to_image(signal / even, xp, dtype or name_of(image.dtype), image.dtype)
