"""Correction of uneven illumination."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hcs_operations.given import as_light, profile_for, unfit_profile
from hcs_torch.greys import stored, wide
from hcs_torch.memory import TorchMemory
from hcs_torch.strips import row_strips


def flat_field(
    image: torch.Tensor,
    *,
    profile: torch.Tensor | npt.NDArray[Any] | None = None,
    dark: float | None = None,
    dtype: str = "",
) -> torch.Tensor:
    """Divide planes by their illumination: `(image - dark) / (profile / mean of profile)`.

    Parameters
    ----------
    image
        Axes `yx`, or one more before them; uint8, float32, or int32 that holds uint16.
    profile
        Axes `yx`, the planes' shape; numbers above 0 of any dtype, taken as float32: a tensor, or numpy's array.
    dark
        What the camera gives without light, in grey levels; `None`: 0.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same shape and dtype, a new tensor; integers are rounded half to even and clipped. In float32 negative
        numbers stay, and so do NaN and infinities, each in its pixel.

    Raises
    ------
    ValueError
        There is no profile, it has another shape than the planes, or a value that is not a finite number above 0.

    Notes
    -----
    Computed in float32. Asking whether the profile is above 0 waits for its device once a call.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.illumination import flat_field
    >>> image, profile = torch.tensor([[110, 60]], dtype=torch.uint8), torch.tensor([[3.0, 1.0]])
    >>> flat_field(image, profile=profile, dark=10).tolist()
    [[67, 100]]
    """
    given = profile_for(profile, tuple(image.shape[-2:]))
    light, mean = _light_and_mean(given, image.device)
    corrected = torch.empty_like(image, memory_format=torch.contiguous_format)
    for rows in row_strips(image):
        pixels = image[..., rows, :].to(torch.float32, copy=True)
        if dark:
            pixels.sub_(dark)
        corrected[..., rows, :] = stored(pixels.mul_(mean).div_(light[rows]), image, dtype)
    return corrected


def _light_and_mean(profile: torch.Tensor | npt.NDArray[Any], device: torch.device) -> tuple[torch.Tensor, float]:
    """Return a profile in float32 on a device, and its mean, checked."""
    if isinstance(profile, np.ndarray):
        profile = TorchMemory().from_host(as_light(profile), str(device))
    light = profile.to(device=device, dtype=torch.float32)
    smallest, mean = torch.stack([light.amin().to(wide(device)), light.mean(dtype=wide(device))]).tolist()
    # NaN is not above 0, and its minimum is NaN.
    if not smallest > 0 or not math.isfinite(mean):
        raise unfit_profile(TorchMemory().to_host(light))
    return light, mean
