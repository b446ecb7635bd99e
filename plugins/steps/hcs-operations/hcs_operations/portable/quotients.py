"""Means of whole numbers without floats, which not every array library has wide enough ones of."""

from __future__ import annotations

from typing import Any

LARGEST_SUM = 2**31 - 1
"""Of int32, the widest integer that every array library has without being asked."""


def rounded_quotient(total: Any, count: int, xp: Any) -> Any:
    """Return whole numbers divided by a whole number, rounded half to even.

    Parameters
    ----------
    total
        An array of integers of at least 0.
    count
        By what it is divided, from 1 to a quarter of what its dtype holds.
    xp
        Its array namespace.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_operations.portable.quotients import rounded_quotient
    >>> rounded_quotient(np.array([1, 3, 5, 6, 7]), 2, np)
    array([0, 2, 2, 3, 4])
    """
    whole = total // count
    twice = (total - whole * count) * 2
    # Half-way it goes up from an odd number, to an even one.
    up = (twice > count) | ((twice == count) & (whole % 2 == 1))
    return whole + xp.astype(up, whole.dtype)
