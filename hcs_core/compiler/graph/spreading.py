"""Choosing some of many, spread evenly and the same each time."""

from __future__ import annotations

from collections.abc import Sequence

_GOLDEN = 0.6180339887498949
"""The part by which the choice is moved from one group to the next, so that not all give the same places."""


def spread(counts: Sequence[int], most: int | None) -> list[list[int]]:
    """Return which places to take of groups that have so many, `most` in all: as many of each as can be.

    Within a group they lie evenly apart, and begin at another place in each group. The same counts give the same
    choice; `most=None` takes all.

    Examples
    --------
    >>> from hcs_core.compiler.graph.spreading import spread
    >>> spread([4, 1, 4], 5)
    [[0, 2], [0], [0, 2]]
    """
    if most is None or sum(counts) <= most:
        return [list(range(count)) for count in counts]
    each = _level(counts, most)
    taken = [min(count, each) for count in counts]
    # What is left is less than one of each: it goes to groups that lie evenly apart.
    more = [place for place, count in enumerate(counts) if count > each]
    left = most - sum(taken)
    for number in range(left):
        taken[more[(2 * number + 1) * len(more) // (2 * left)]] += 1
    return [
        [int((number + (group * _GOLDEN) % 1.0) * count / take) for number in range(take)]
        for group, (count, take) in enumerate(zip(counts, taken, strict=True))
    ]


def _level(counts: Sequence[int], most: int) -> int:
    """Return the largest number that can be taken of every group that has it, without taking more than `most`."""
    level, used = 0, 0
    for rank, count in enumerate(sorted(counts)):
        groups = len(counts) - rank
        fits = (most - used) // groups
        if fits < count:
            return fits
        level, used = count, used + count
    return level
