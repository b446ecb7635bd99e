"""The plane of a stack that is in best focus."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from hcs_operations.signatures import FOCUS_MEASURES
from hcs_torch.filters import mirrored
from hcs_torch.greys import wide


def best_focus_projection(
    image: torch.Tensor,
    *,
    measure: str = "normalized_variance",
    dtype: str = "",  # noqa: ARG001 - all dtypes alike
) -> torch.Tensor:
    """Keep the one plane of each stack that is in best focus: the one with the largest focus measure.

    Parameters
    ----------
    image
        Axes `zyx`, or one more before them; uint8, float32, or int32 that holds uint16.
    measure
        How focus is measured: `normalized_variance`, `tenengrad`, `laplacian` or `brenner`, as the operation says.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same dtype, without z, a new tensor: the plane as it is, of equal ones the one with the lowest z. In
        float32, a plane with a NaN or an infinity is not measured and not chosen.

    Raises
    ------
    ValueError
        No plane of a stack can be measured, or no measure is called so.

    Notes
    -----
    Differences are taken in float32, sums of squares in float64. A plane at a time is measured, so that what is held
    beside the image is three planes.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.focus import best_focus_projection
    >>> best_focus_projection(torch.tensor([[[5, 6, 5, 6]], [[1, 9, 1, 9]]])).tolist()
    [[1, 9, 1, 9]]
    """
    if measure not in FOCUS_MEASURES:
        raise ValueError(f"best_focus_projection: measure={measure!r} is none of {', '.join(FOCUS_MEASURES)}.")
    if image.ndim == 3:  # noqa: PLR2004 - zyx
        return _sharpest(image, MEASURES[measure])
    return torch.stack([_sharpest(stack, MEASURES[measure]) for stack in image])


def _sharpest(stack: torch.Tensor, measure: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    # Measured all before the first is read: a device is waited for once.
    found = torch.stack([measure(plane) for plane in stack]).tolist()
    scores = [score if math.isfinite(score) else -1.0 for score in found]
    best = max(scores)
    if best < 0:
        raise ValueError(
            f"best_focus_projection: each of the {len(stack)} planes has a pixel that is not finite or too large, so "
            "that none can be measured: leave out or replace NaN and infinities in a step before."
        )
    # The first of the best: the lowest z.
    return stack[scores.index(best)].clone(memory_format=torch.contiguous_format)


def normalized_variance(plane: torch.Tensor) -> torch.Tensor:
    """Return the variance of a plane over the square of its mean; 0 where that is 0."""
    pixels = plane.to(wide(plane.device))
    mean = pixels.mean()
    variance = _square_sum(pixels - mean) / plane.numel()
    return torch.where(mean == 0, 0.0 * variance, variance / mean**2)


def tenengrad(plane: torch.Tensor) -> torch.Tensor:
    """Return the mean squared gradient of a plane, by Sobel's operators."""
    framed = _framed(plane)
    down = framed[:-2] + 2 * framed[1:-1] + framed[2:]
    across = framed[:, :-2] + 2 * framed[:, 1:-1] + framed[:, 2:]
    gradient = _square_sum(down[:, 2:] - down[:, :-2]) + _square_sum(across[2:] - across[:-2])
    return gradient / plane.numel()


def laplacian(plane: torch.Tensor) -> torch.Tensor:
    """Return the mean squared Laplacian of a plane."""
    framed = _framed(plane)
    curved = framed[:-2, 1:-1] + framed[2:, 1:-1] + framed[1:-1, :-2] + framed[1:-1, 2:] - 4 * framed[1:-1, 1:-1]
    return _square_sum(curved) / plane.numel()


def brenner(plane: torch.Tensor) -> torch.Tensor:
    """Return the mean squared difference of pixels two apart, along y and along x."""
    pixels = plane.to(torch.float32)
    differences = _square_sum(pixels[2:] - pixels[:-2]) + _square_sum(pixels[:, 2:] - pixels[:, :-2])
    return differences / plane.numel()


MEASURES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "normalized_variance": normalized_variance,
    "tenengrad": tenengrad,
    "laplacian": laplacian,
    "brenner": brenner,
}
"""The focus measures by name: of a plane, a number in a tensor, larger in better focus."""


def _square_sum(values: torch.Tensor) -> torch.Tensor:
    norm: torch.Tensor = torch.linalg.vector_norm(values, dtype=wide(values.device))
    return norm**2


def _framed(plane: torch.Tensor) -> torch.Tensor:
    """Return a plane in float32 with a pixel more around it, mirrored about the outermost pixels."""
    framed = plane.to(torch.float32)
    for axis in (-2, -1):
        length = plane.shape[axis]
        framed = framed.index_select(axis, mirrored(torch.arange(-1, length + 1, device=plane.device), length))
    return framed
