"""Operations across channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hcs_operations.given import channel_weights
from hcs_torch.means import weighted_mean


def composite(image: torch.Tensor, *, weights: Sequence[float] = (), dtype: str = "") -> torch.Tensor:
    """Join the channels into one: their weighted mean.

    Parameters
    ----------
    image
        Axes `cyx`, or one more before them; uint8, float32, or int32 that holds uint16.
    weights
        One number for each channel, in order, none below 0 and not all 0; empty: all the same. A channel of weight 0
        leaves no trace, NaN neither.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same dtype, without c, a new tensor; integers are rounded half to even. In float32, a pixel that is NaN in
        a channel that counts is NaN.

    Raises
    ------
    ValueError
        The weights are not as many as the channels, one is below 0, or their sum is not a finite number above 0.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.channels import composite
    >>> composite(torch.tensor([[[10, 20]], [[30, 60]]], dtype=torch.uint8), weights=(3, 1)).tolist()
    [[15, 30]]
    """
    return weighted_mean(image, channel_weights(weights, image.shape[-3]), dtype)
