"""How long a call takes: a first one apart, then the median of several."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

MOST_RUNS = 7
ENOUGH_SECONDS = 0.15
"""Calls that took so long together are enough; one at least is timed."""


def seconds_of(call: Callable[[Any], Any], prepare: Callable[[], Any]) -> float:
    """Return the median seconds of a call, of which the first is not timed: a compiler works in it, or a cache fills.

    Parameters
    ----------
    call
        What is timed; it gets what `prepare` returned.
    prepare
        What comes before each call, and is not timed.
    """
    call(prepare())
    spent: list[float] = []
    while len(spent) < MOST_RUNS and sum(spent) < ENOUGH_SECONDS:
        given = prepare()
        started = time.perf_counter()
        call(given)
        spent.append(time.perf_counter() - started)
    return median(spent)
