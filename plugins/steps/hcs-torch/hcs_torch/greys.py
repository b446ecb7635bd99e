"""The grey levels of an image, which may be held in a wider dtype than its own."""

from __future__ import annotations

import torch

from hcs_operations.portable.dtypes import limits, name_of
from hcs_torch.strips import row_strips


def ends(image: torch.Tensor, dtype: str) -> tuple[int, int] | None:
    """Return the smallest and the largest grey level of an image's dtype; `None` of floats, which have no ends.

    Parameters
    ----------
    image
        Any axes.
    dtype
        The image's dtype by its numpy name; empty: that of the tensor.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.greys import ends
    >>> ends(torch.zeros(2, dtype=torch.int32), "uint16")
    (0, 65535)
    """
    return limits(dtype or name_of(image.dtype))


def brightest(image: torch.Tensor, dtype: str) -> float:
    """Return the largest grey level of an image's dtype, 1.0 of floats."""
    found = ends(image, dtype)
    return 1.0 if found is None else float(found[1])


def stored(values: torch.Tensor, image: torch.Tensor, dtype: str) -> torch.Tensor:
    """Return floats in the tensor's dtype of an image: of integers rounded half to even and clipped to its ends.

    Parameters
    ----------
    values
        Axes `yx`, or more before them; they are changed, and may be what is returned.
    image
        Of what they were computed.
    dtype
        The image's own dtype; empty: that of the tensor.

    Returns
    -------
    torch.Tensor
        The values' shape, contiguous.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.greys import stored
    >>> image = torch.zeros(1, 3, dtype=torch.uint8)
    >>> stored(torch.tensor([[0.5, 1.5, 300.0]]), image, "uint8").tolist()
    [[0, 2, 255]]
    """
    found = ends(image, dtype)
    if found is None:
        return values.to(image.dtype)
    whole = torch.empty_like(values, dtype=image.dtype, memory_format=torch.contiguous_format)
    for rows in row_strips(values):
        whole[..., rows, :] = values[..., rows, :].round_().clamp_(*found)
    return whole


def wide(device: torch.device) -> torch.dtype:
    """Return the widest float of a device: float64, which Apple's have not."""
    return torch.float32 if device.type == "mps" else torch.float64
