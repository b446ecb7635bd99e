"""Which pairs of planes have to be compared to find the middle of a stack."""

from __future__ import annotations

import functools
from collections.abc import Iterator

Comparison = tuple[int, int, bool, bool]
"""Two places, the lower first, and whether the smaller value (which goes to the first) and the larger are needed."""


@functools.cache
def middle_network(count: int) -> tuple[Comparison, ...]:
    """Return the comparisons that bring the middle of `count` values to its place: the middle two of an even number.

    They are those of a sorting network that the middle depends on: K. E. Batcher's merge exchange (Knuth, The Art of
    Computer Programming 3, section 5.2.2, algorithm M), less what is not needed, from its end backwards. Every value
    has a way to the middle, so that NaN, which a minimum and a maximum hand on, gets there.

    Examples
    --------
    >>> from hcs_operations.selection import middle_network
    >>> middle_network(3)
    ((0, 2, True, True), (0, 1, False, True), (1, 2, True, False))
    """
    needed = {(count - 1) // 2, count // 2}
    kept: list[Comparison] = []
    for lower, upper in reversed(list(_merge_exchange(count))):
        if lower in needed or upper in needed:
            kept.append((lower, upper, lower in needed, upper in needed))
            needed |= {lower, upper}
    return tuple(reversed(kept))


def _merge_exchange(count: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs of places that sort `count` values when each pair is put in order in turn."""
    # Knuth's p, q, r and d: the width of what is sorted, how far a pair may lie apart, which half begins, and how far
    # it lies apart.
    top = 1 << max(0, (count - 1).bit_length() - 1)
    width = top
    while count > 1 and width:
        reach, half, distance = top, 0, width
        while True:
            yield from ((place, place + distance) for place in range(count - distance) if place & width == half)
            if reach == width:
                break
            distance, reach, half = reach - width, reach // 2, width
        width //= 2
