"""The weighted mean of the planes of a stack."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from hcs_torch.greys import ends, stored, wide
from hcs_torch.strips import row_strips


def weighted_mean(image: torch.Tensor, counted: Sequence[tuple[int, float]], dtype: str) -> torch.Tensor:
    """Return the weighted mean of some planes of a stack.

    The sum is taken in their order, in float64 (in float32 where that is exact), and divided by the sum of the
    weights.

    Parameters
    ----------
    image
        A stack of planes along the axis before `yx`, or one more axis before that.
    counted
        The index and the weight of every plane that counts; the weights above 0, with a finite sum.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same dtype, without the axis of the planes; integers are rounded half to even.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.means import weighted_mean
    >>> stack = torch.tensor([[[10, 20]], [[7, 7]], [[30, 60]]], dtype=torch.uint8)
    >>> weighted_mean(stack, [(0, 3.0), (2, 1.0)], "uint8").tolist()
    [[15, 30]]
    """
    weights = [weight for _, weight in counted]
    whole, work = math.fsum(weights), _work_dtype(image, weights, dtype)
    mean = torch.empty_like(image[..., 0, :, :], memory_format=torch.contiguous_format)
    for rows in row_strips(mean):
        total = torch.zeros_like(mean[..., rows, :], dtype=work)
        for index, weight in counted:
            pixels = image[..., index, rows, :]
            # Weighted in the sum's dtype: torch would multiply integers by a fraction in float32.
            total.add_(pixels if weight == 1 else pixels.to(work), alpha=1 if weight == 1 else weight)
        mean[..., rows, :] = stored(total.div_(whole), image, dtype)
    return mean


def _work_dtype(image: torch.Tensor, weights: list[float], dtype: str) -> torch.dtype:
    """Return float32 where the rounded mean is exact in it, else the widest float.

    Whole-number weights give whole sums. Below 2**23 these are exact, and a quotient that is not half-way between two
    numbers is further from there than float32 can be off.
    """
    found = ends(image, dtype)
    if found is None or not all(weight.is_integer() for weight in weights):
        return wide(image.device)
    return torch.float32 if math.fsum(weights) * found[1] < 1 << 23 else wide(image.device)
