"""Grey-level morphology."""

from __future__ import annotations

from collections.abc import Callable

import torch

Extreme = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def white_tophat(image: torch.Tensor, *, radius: int = 25, dtype: str = "") -> torch.Tensor:
    """Take away from planes what is larger than a square: each plane less its opening.

    The square is `2 * radius + 1` px wide. Beyond the border there is nothing: a minimum or maximum is that of the
    part of the square that lies on the plane.

    Parameters
    ----------
    image
        Axes `yx`, or one more before them; uint8, float32 without NaN, or int32 that holds uint16.
    radius
        Half the side of the square in px, a whole number of at least 1.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same shape and dtype, a new tensor.

    Notes
    -----
    F. Meyer's top-hat transformation (Serra, Image Analysis and Mathematical Morphology, 1982, chapter 12), a row and
    a column in turn, each by doubling: of windows of 1, 2, 4, ... pixels, the time grows with the logarithm of the
    radius. uint16 is compared in int16, of which half as many bytes move.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.morphology import white_tophat
    >>> white_tophat(torch.tensor([[5, 5, 9, 5, 5, 5, 8, 8, 8, 8]], dtype=torch.uint8), radius=1).tolist()
    [[0, 0, 4, 0, 0, 0, 0, 0, 0, 0]]
    """
    if dtype == "uint16" and image.dtype == torch.int32:
        # The bits of uint16 as a whole number from -32768: in the same order.
        narrow = (image - _HALF).to(torch.int16)
        return image - _opened(narrow, radius).to(torch.int32).add_(_HALF)
    return image - _opened(image, radius)


_HALF = 1 << 15


def _opened(image: torch.Tensor, radius: int) -> torch.Tensor:
    limits = torch.finfo(image.dtype) if image.dtype.is_floating_point else torch.iinfo(image.dtype)
    for extreme, outside in ((torch.minimum, limits.max), (torch.maximum, limits.min)):
        for axis in (-1, -2):
            image = _running(image, radius, axis, extreme, outside)
    return image


def _running(image: torch.Tensor, radius: int, axis: int, extreme: Extreme, outside: float) -> torch.Tensor:
    """Return the extreme of the `2 * radius + 1` pixels about each along an axis, `outside` beyond its ends."""
    length = image.shape[axis]
    reach = min(radius, length - 1)
    if not reach:
        return image
    border = list(image.shape)
    border[axis] = reach
    beyond = image.new_full(border, outside)
    window = torch.cat((beyond, image, beyond), axis)
    width, wanted = 1, 2 * reach + 1
    while width < wanted:
        # Two windows side by side, which overlap in the last step.
        shift = min(width, wanted - width)
        size = window.shape[axis] - shift
        window = extreme(window.narrow(axis, 0, size), window.narrow(axis, shift, size))
        width += shift
    return window
