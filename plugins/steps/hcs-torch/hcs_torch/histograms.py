"""Counting the pixels of a plane by value, and looking its pixels up in a table."""

from __future__ import annotations

import torch

from hcs_torch.greys import ends

MOST_VALUES = 1 << 16
"""Of what is counted value by value: those of 16 bits."""


def values_of(image: torch.Tensor, dtype: str) -> int:
    """Return how many values the integers of an image can have, from 0 on; 0 of floats.

    Parameters
    ----------
    image
        Any axes; unsigned integers of at most 16 bits, held in any dtype, or floats.
    dtype
        The image's own dtype; empty: the tensor's.

    Raises
    ------
    ValueError
        There are more than 65,536 values: the image is held in a wider dtype, and its own was not told.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.histograms import values_of
    >>> values_of(torch.zeros(3, dtype=torch.int32), "uint16"), values_of(torch.zeros(3), "float32")
    (65536, 0)
    """
    found = ends(image, dtype)
    if found is None:
        return 0
    values = found[1] + 1
    if values > MOST_VALUES:
        raise ValueError(f"an image of {dtype or image.dtype} has {values:,} values: say its own, dtype='uint16'")
    return values


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
