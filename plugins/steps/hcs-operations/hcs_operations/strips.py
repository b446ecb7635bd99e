"""Working on a plane strip by strip, so that what is computed in a wider dtype stays small and in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

STRIP_PIXELS = 1 << 16
"""Pixels of a strip: half a MiB in float64, so that two of them fit the second-level cache of a core."""


def row_strips(shape: tuple[int, ...], pixels: int = STRIP_PIXELS) -> Iterator[slice]:
    """Yield the rows of a plane of this shape in order, in slices of about `pixels` pixels and of at least one row.

    Examples
    --------
    >>> from hcs_operations.strips import row_strips
    >>> list(row_strips((5, 10), pixels=20))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    height, width = shape
    rows = max(1, pixels // width)
    for start in range(0, height, rows):
        yield slice(start, min(height, start + rows))


def store(values: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
    """Write floats into `out`: rounded half to even where it holds integers; `values` may be changed.

    It is for means of pixels, whose rounded values lie in the range of the pixels' dtype and are not NaN where
    that is an integer: there it gives what `hcs_core.to_dtype` gives, at a third of its time.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.strips import store
    >>> out = np.empty(3, np.uint8)
    >>> store(np.array([0.5, 1.5, 254.7]), out)
    >>> out
    array([  0,   2, 255], dtype=uint8)
    """
    if out.dtype.kind in "iu":
        np.rint(values, out=values)
    np.copyto(out, values, casting="unsafe")
