"""The smallest and the largest pixel of a plane."""

from __future__ import annotations

import torch


def extremes(plane: torch.Tensor) -> tuple[float, float] | None:
    """Return the smallest and the largest finite pixel of a plane; `None` where no pixel is finite.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.extremes import extremes
    >>> extremes(torch.tensor([[3.0, torch.nan, -1.0, torch.inf]]))
    (-1.0, 3.0)
    """
    smallest, largest = (float(value) for value in plane.aminmax())
    if torch.isfinite(torch.tensor([smallest, largest], device="cpu")).all():
        return smallest, largest
    finite = plane[torch.isfinite(plane)]
    if not finite.numel():
        return None
    smallest, largest = (float(value) for value in finite.aminmax())
    return smallest, largest
