"""Operations on the intensity scale of planes."""

from __future__ import annotations

import torch

from hcs_operations.given import percentile_levels, refuse_empty_range
from hcs_operations.ranges import range_to_map
from hcs_torch.extremes import extremes
from hcs_torch.greys import brightest, stored, wide
from hcs_torch.histograms import looked_up, values_of
from hcs_torch.percentiles import percentiles
from hcs_torch.planes import each_plane
from hcs_torch.strips import row_strips

Range = tuple[float, float]


def percentile_normalize(
    image: torch.Tensor,
    *,
    low: float = 1.0,
    high: float = 99.0,
    limits: str = "plane",
    levels: tuple[float, ...] | None = None,
    dtype: str = "",
) -> torch.Tensor:
    """Stretch planes between two percentiles, each plane its own, over the whole range of their dtype.

    Parameters
    ----------
    image
        Axes `yx`, or one more before them; uint8, float32, or int32 that holds uint16.
    low, high
        In percent of a plane's pixels, from 0 to 100, `low` below `high`; interpolated as numpy's method `linear`
        does.
    limits
        Whose percentiles they are: `plane`, or `well` or `plate`, for which `levels` are needed.
    levels
        The two grey levels themselves, the smaller first; `None`: the plane's percentiles.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same shape and dtype, a new tensor; integers are rounded half to even. A plane without contrast stays as
        it is. In float32 the percentiles are those of the finite pixels, NaN stays NaN; infinities become 0 and 1.

    Raises
    ------
    ValueError
        `low` is not below `high`, `levels` are not two, or the first is above the second, or `limits` is not `plane`
        and there are no `levels`.

    Notes
    -----
    Pixels are counted, not sorted (`hcs_torch.percentiles`), and looked up in a table that is computed in float64.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.intensity import percentile_normalize
    >>> percentile_normalize(torch.tensor([[10, 20, 30]], dtype=torch.uint8), low=0.0, high=100.0).tolist()
    [[0, 128, 255]]
    """
    given = percentile_levels(low, high, limits, levels)
    out = (0.0, brightest(image, dtype))

    def normalized(plane: torch.Tensor) -> torch.Tensor:
        found = given if given is not None else percentiles(plane, (low, high), values_of(plane, dtype))
        if not found or found[0] == found[1]:
            return plane.clone(memory_format=torch.contiguous_format)
        return _stretched(plane, (found[0], found[1]), out, dtype)

    return each_plane(image, normalized)


def rescale_intensity(
    image: torch.Tensor,
    *,
    low: float | None = None,
    high: float | None = None,
    out_low: float | None = None,
    out_high: float | None = None,
    dtype: str = "",
) -> torch.Tensor:
    """Map one range of grey levels of each plane linearly onto another, and clip what lies outside.

    Parameters
    ----------
    image
        Axes `yx`, or one more before them; uint8, float32, or int32 that holds uint16.
    low, high
        The ends of what is mapped, in grey levels; `None`: the plane's smallest and largest value.
    out_low, out_high
        What they become; `None`: 0 and the dtype's largest value, 1.0 for float32. `out_low` above `out_high`
        inverts.
    dtype
        The image's own dtype; empty: the tensor's.

    Returns
    -------
    torch.Tensor
        The same shape and dtype, a new tensor; integers are rounded half to even and clipped. In float32 NaN stays
        NaN, and infinities become `out_low` and `out_high`; a plane without one finite pixel stays as it is unless
        `low` and `high` are both given.

    Raises
    ------
    ValueError
        `low` and `high` are given, and `low` is not below `high`.

    Notes
    -----
    Computed in float64. A plane without contrast stays constant: its value is clipped into the range that `out_low`
    and `out_high` span. Where the one limit that is given lies beyond all pixels, every pixel takes its value.

    Examples
    --------
    >>> import torch
    >>> from hcs_torch.intensity import rescale_intensity
    >>> rescale_intensity(torch.tensor([[10, 20, 30]], dtype=torch.uint8), low=10, high=30).tolist()
    [[0, 128, 255]]
    """
    refuse_empty_range(low, high)
    out = (0.0 if out_low is None else out_low, brightest(image, dtype) if out_high is None else out_high)

    def rescaled(plane: torch.Tensor) -> torch.Tensor:
        if low is not None and high is not None:
            return _stretched(plane, (low, high), out, dtype)
        found = extremes(plane)
        if found is None:
            return plane.clone(memory_format=torch.contiguous_format)
        if low is None and high is None and found[0] == found[1]:
            kept = min(max(found[0], min(out)), max(out))
            return stored(torch.full_like(plane, kept, dtype=wide(plane.device)), plane, dtype)
        return _stretched(plane, range_to_map(found, low, high), out, dtype)

    return each_plane(image, rescaled)


def _stretched(plane: torch.Tensor, range_: Range, out: Range, dtype: str) -> torch.Tensor:
    """Map a range, which is not empty, onto another one, in float64: integers by a table."""
    values = values_of(plane, dtype)
    if values:
        grey = torch.arange(values, dtype=torch.float64, device="cpu")
        return looked_up(plane, stored(_mapped(grey, range_, out)[None], plane, dtype)[0])
    stretched = torch.empty_like(plane, memory_format=torch.contiguous_format)
    for rows in row_strips(plane):
        stretched[rows] = _mapped(plane[rows].to(wide(plane.device), copy=True), range_, out)
    return stretched


def _mapped(values: torch.Tensor, range_: Range, out: Range) -> torch.Tensor:
    """Return what becomes of floats; `values` may be changed."""
    values = values.sub_(range_[0]).div_(range_[1] - range_[0]).clamp_(0.0, 1.0)
    return values if out == (0.0, 1.0) else values.mul_(out[1] - out[0]).add_(out[0])
