"""How long a call takes: a first one apart, then the median of several.

On the CPU it is the processor's time that counts, of all threads: workers share the cores by wells, so that a library
that uses several at once takes them from other wells; and other programs on the machine count for less. On other
devices it is the time until the result is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from hcs_core.arrays.memory_type import CPU

MOST_RUNS = 7
ENOUGH_SECONDS = 0.15
"""Calls that took so long together are enough; one at least is timed."""


def clock_of(device: str) -> Callable[[], float]:
    """Return what tells the time for a device."""
    return time.process_time if device == CPU else time.perf_counter


def seconds_of(call: Callable[[Any], Any], prepare: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Return the median seconds of a call, of which the first is not timed: a compiler works in it, or a cache fills.

    Parameters
    ----------
    call
        What is timed; it gets what `prepare` returned.
    prepare
        What comes before each call, and is not timed.
    clock
        What tells the time.
    """
    call(prepare())
    spent: list[float] = []
    while len(spent) < MOST_RUNS and sum(spent) < ENOUGH_SECONDS:
        given = prepare()
        started = clock()
        call(given)
        spent.append(clock() - started)
    return median(spent)
