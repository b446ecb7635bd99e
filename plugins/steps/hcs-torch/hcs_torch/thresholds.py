"""Thresholds: planes into black and white."""

from __future__ import annotations

import torch

from hcs_operations.otsu import FLOAT_BINS, float_edges, float_level, integer_levels
from hcs_torch.extremes import extremes
from hcs_torch.greys import wide
from hcs_torch.histograms import histogram, values_of
from hcs_torch.planes import each_plane
from hcs_torch.strips import row_strips


def threshold_otsu(image: torch.Tensor, *, dtype: str = "") -> torch.Tensor:
    """Set to 255 what is above each plane's threshold by Otsu, and to 0 what is not.

    Parameters
    ----------
    image
        Axes `yx`, or one more before them; uint8, float32, or int32 that holds uint16.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same shape, uint8, a new tensor of 0 and 255. A constant plane becomes 0 everywhere. In float32 NaN
        becomes 0, and infinities 0 and 255; without one finite pixel all becomes 0.

    Notes
    -----
    Pixels are counted in torch: integers with a bin for each value; float32 in 256 bins from the smallest to the
    largest finite pixel. The threshold is chosen from the counts by `hcs_operations.otsu`, in float64 on the host, as
    for every library.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.thresholds import threshold_otsu
    >>> threshold_otsu(torch.tensor([[10, 12, 90, 95]], dtype=torch.uint8)).tolist()
    [[0, 0, 255, 255]]
    """
    return each_plane(image, lambda plane: _above(plane, dtype))


def _above(plane: torch.Tensor, dtype: str) -> torch.Tensor:
    values = values_of(plane, dtype)
    limit = _of_integers(plane, values) if values else _of_floats(plane)
    if limit is None:
        return torch.zeros_like(plane, dtype=torch.uint8, memory_format=torch.contiguous_format)
    # In float32: a limit in float64 would be compared in that.
    above = plane > torch.tensor(limit, dtype=plane.dtype, device=plane.device)
    return above.to(torch.uint8).mul_(255)


def _of_integers(plane: torch.Tensor, values: int) -> float:
    return integer_levels(histogram(plane, values).numpy())


def _of_floats(plane: torch.Tensor) -> float | None:
    found = extremes(plane)
    if found is None or found[0] == found[1]:
        return None if found is None else found[0]
    # float64: float32 has no 256 edges between two numbers that are close together.
    work = wide(plane.device)
    strips = (plane[rows].to(work) for rows in row_strips(plane))
    counts = torch.stack([torch.histc(strip, FLOAT_BINS, min=found[0], max=found[1]) for strip in strips]).sum(0)
    return float_level(counts.to("cpu", torch.float64).numpy(), float_edges(*found))
