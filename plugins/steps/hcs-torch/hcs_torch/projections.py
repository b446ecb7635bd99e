"""Projections along z."""

from __future__ import annotations

import torch

from hcs_operations.selection import middle_network
from hcs_torch.greys import stored, wide
from hcs_torch.means import weighted_mean
from hcs_torch.strips import row_strips

SORTED_PIXELS = 1 << 18
"""Pixels of a strip of all planes together: a MiB, which the second-level cache of a core holds."""


def mean_projection(image: torch.Tensor, *, dtype: str = "") -> torch.Tensor:
    """Take the mean along z.

    Parameters
    ----------
    image
        Axes `zyx`, or one more before them; uint8, float32, or int32 that holds uint16.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same dtype, without z, a new tensor; integers are rounded half to even. In float32, a pixel that is NaN in
        one plane is NaN.

    Notes
    -----
    The sum is taken plane by plane, in float64, in float32 where that is exact.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.projections import mean_projection
    >>> mean_projection(torch.tensor([[[1, 7]], [[5, 2]]], dtype=torch.uint8)).tolist()
    [[3, 4]]
    """
    return weighted_mean(image, [(z_index, 1.0) for z_index in range(image.shape[-3])], dtype)


def median_projection(image: torch.Tensor, *, dtype: str = "") -> torch.Tensor:
    """Take the median along z: of an even number of planes, the mean of the two middle values.

    Parameters
    ----------
    image
        Axes `zyx`, or one more before them; uint8, float32, or int32 that holds uint16.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same dtype, without z, a new tensor; the mean of two integers is rounded half to even. In float32, a pixel
        that is NaN in one plane is NaN.

    Notes
    -----
    Minima and maxima of whole planes, by the network of `hcs_operations.selection`: a sort along z moves every pixel
    through memory one by one.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.projections import median_projection
    >>> median_projection(torch.tensor([[[1, 7]], [[5, 2]], [[3, 250]]])).tolist()
    [[3, 7]]
    """
    median = torch.empty_like(image[..., 0, :, :], memory_format=torch.contiguous_format)
    for rows in row_strips(image, pixels=SORTED_PIXELS):
        median[..., rows, :] = _middle(image[..., rows, :], dtype)
    return median


def _middle(image: torch.Tensor, dtype: str) -> torch.Tensor:
    lanes = list(image.unbind(-3))
    for lower, upper, keeps_smaller, keeps_larger in middle_network(len(lanes)):
        first, second = lanes[lower], lanes[upper]
        if keeps_smaller:
            lanes[lower] = torch.minimum(first, second)
        if keeps_larger:
            lanes[upper] = torch.maximum(first, second)
    below, above = lanes[(len(lanes) - 1) // 2], lanes[len(lanes) // 2]
    if below is above:
        return below
    # Sums of two float32 may be too large for float32; those of 16-bit integers are exact in it.
    work = wide(image.device) if image.dtype.is_floating_point else torch.float32
    return stored(below.to(work, copy=True).add_(above).mul_(0.5), image, dtype)
