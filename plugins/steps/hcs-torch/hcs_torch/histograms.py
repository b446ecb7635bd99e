"""Counting the pixels of a plane by value, and looking its pixels up in a table."""

from __future__ import annotations

import torch


def histogram(values: torch.Tensor, bins: int) -> torch.Tensor:
    """Return how often each of the numbers 0, 1, ... `bins - 1` is in a plane.

    Parameters
    ----------
    values
        Any axes; integers below `bins`.
    bins
        How many numbers are counted.

    Returns
    -------
    torch.Tensor
        int64, on the CPU: what is computed of it is small, and in float64, which some devices have not.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.histograms import histogram
    >>> histogram(torch.tensor([[0, 2, 2]]), 4).tolist()
    [1, 0, 2, 0]
    """
    return torch.bincount(values.reshape(-1), minlength=bins).cpu()


def looked_up(plane: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Return what stands in a table at the place of each pixel: the plane's shape, the table's dtype, a new tensor.

    Parameters
    ----------
    plane
        Axes `yx`; whole numbers from 0.
    table
        As long as the largest pixel asks for.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.histograms import looked_up
    >>> looked_up(torch.tensor([[0, 2, 2]]), torch.tensor([5, 6, 7])).tolist()
    [[5, 7, 7]]
    """
    places = plane.reshape(-1)
    # index_select takes int32 as it is; indexing would make an int64 of each pixel first.
    places = places if places.dtype in (torch.int32, torch.int64) else places.to(torch.int32)
    return table.to(plane.device).index_select(0, places).view(plane.shape)
