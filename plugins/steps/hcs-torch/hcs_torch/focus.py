"""The plane of a stack that is in best focus."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import torch

from hcs_operations.signatures import FOCUS_MEASURES
from hcs_torch.filters import mirrored
from hcs_torch.greys import wide
from hcs_torch.strips import row_strips


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
    work = wide(plane.device)
    mean = _added(plane[rows].sum(dtype=work) for rows in row_strips(plane)) / plane.numel()
    variance = _added(_square_sum(plane[rows].to(work) - mean) for rows in row_strips(plane)) / plane.numel()
    return torch.where(mean == 0, 0.0 * variance, variance / mean**2)


def tenengrad(plane: torch.Tensor) -> torch.Tensor:
    """Return the mean squared gradient of a plane, by Sobel's operators."""
    return _added(map(_gradient, _framed_strips(plane))) / plane.numel()


def _gradient(framed: torch.Tensor) -> torch.Tensor:
    down = framed[:-2].add(framed[2:]).add_(framed[1:-1], alpha=2)
    across = framed[:, :-2].add(framed[:, 2:]).add_(framed[:, 1:-1], alpha=2)
    return _square_sum(down[:, 2:] - down[:, :-2]) + _square_sum(across[2:] - across[:-2])


def laplacian(plane: torch.Tensor) -> torch.Tensor:
    """Return the mean squared Laplacian of a plane."""
    return _added(map(_curvature, _framed_strips(plane))) / plane.numel()


def _curvature(framed: torch.Tensor) -> torch.Tensor:
    inner = framed[1:-1]
    curved = framed[:-2, 1:-1].add(framed[2:, 1:-1]).add_(inner[:, :-2]).add_(inner[:, 2:])
    return _square_sum(curved.add_(inner[:, 1:-1], alpha=-4))


def brenner(plane: torch.Tensor) -> torch.Tensor:
    """Return the mean squared difference of pixels two apart, along y and along x."""
    pairs = ((plane[2:], plane[:-2]), (plane[:, 2:], plane[:, :-2]))
    squares = [
        _square_sum(after[rows].to(torch.float32) - before[rows].to(torch.float32))
        for after, before in pairs
        if after.numel()
        for rows in row_strips(after)
    ]
    return _added([*squares, torch.zeros_like(plane[0, 0], dtype=wide(plane.device))]) / plane.numel()


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


def _added(numbers: Iterable[torch.Tensor]) -> torch.Tensor:
    """Return the sum of numbers in tensors."""
    return torch.stack(list(numbers)).sum()


def _framed_strips(plane: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield strips of a plane in float32 with a pixel more around each; beyond the border the plane is mirrored."""
    height, width = plane.shape
    columns = mirrored(torch.arange(-1, width + 1, device=plane.device), width)
    for rows in row_strips(plane):
        lines = mirrored(torch.arange(rows.start - 1, rows.stop + 1, device=plane.device), height)
        yield plane.index_select(-2, lines).to(torch.float32).index_select(-1, columns)
