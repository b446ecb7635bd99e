"""Arithmetic of grey levels that were found in a plane, on plain numbers: the same in every memory type."""

from __future__ import annotations


def between(first: float, second: float, part: float) -> float:
    """Return what lies a part of the way from one number to the next, as numpy's percentiles have it.

    Examples
    --------
    >>> from hcs_operations.ranges import between
    >>> between(10.0, 20.0, 0.25)
    12.5
    """
    # From the nearer end, as numpy does, so that the result is monotone in `part` and exact at both ends.
    nearer_first = part < 0.5  # noqa: PLR2004 - half-way
    return first + (second - first) * part if nearer_first else second - (second - first) * (1.0 - part)


def range_to_map(found: tuple[float, float], low: float | None, high: float | None) -> tuple[float, float]:
    """Return the range that `rescale_intensity` maps: what is given of it, and a plane's extremes for what is not.

    Examples
    --------
    >>> from hcs_operations.ranges import range_to_map
    >>> range_to_map((10.0, 20.0), 12.0, None)
    (12.0, 20.0)
    """
    start, stop = found[0] if low is None else low, found[1] if high is None else high
    if start < stop:
        return start, stop
    # All pixels lie at or beyond the limit that is given: any other end beyond it makes all of them that limit.
    width = max(1.0, abs(start), abs(stop))
    return (stop - width, stop) if low is None else (start, start + width)
