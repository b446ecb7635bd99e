"""Working on an image strip by strip, where that is faster: on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import torch

STRIP_PIXELS = 1 << 16
"""Pixels of a strip: a quarter of a MiB in float32, so that what is computed of it stays in a core's cache."""


def row_strips(image: torch.Tensor, pixels: int = STRIP_PIXELS) -> Iterator[slice]:
    """Yield the rows of an image in order: on the CPU in slices of about `pixels` pixels, on a device at once.

    What several calls in a row do to a strip finds it in the cache; a device has none that large, and calls that are
    too small keep it waiting.

    Parameters
    ----------
    image
        Any axes that end in `yx`; all that is before them counts as pixels of a row.
    pixels
        About how many pixels a slice has; a row at least.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.strips import row_strips
    >>> list(row_strips(torch.zeros(5, 10), pixels=20))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    height = image.shape[-2]
    rows = max(1, pixels * height // image.numel()) if image.device.type == "cpu" else height
    for start in range(0, height, rows):
        yield slice(start, min(height, start + rows))
