"""What works on one plane, for several at once."""

from __future__ import annotations

from collections.abc import Callable

import torch


def each_plane(image: torch.Tensor, function: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Return what a function of a plane makes of an image: of a plane itself, or of each along the axis before.

    For what has to look at the pixels first, such as percentiles: each plane has its own.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.planes import each_plane
    >>> each_plane(torch.tensor([[[1, 2]], [[3, 5]]]), lambda plane: plane - plane.min()).tolist()
    [[[0, 1]], [[0, 2]]]
    """
    if image.ndim == 2:  # noqa: PLR2004 - yx
        return function(image)
    return torch.stack([function(plane) for plane in image])
