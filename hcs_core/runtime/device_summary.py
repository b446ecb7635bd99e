"""What `run.json` and the end of a run say of conversions between memory types, and of devices that were full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs

from hcs_core.runtime.task import Fallback, WellRecord


def conversions_of(records: Iterable[WellRecord]) -> dict[str, int]:
    """Return how often images of all wells were converted, by route."""
    found: Counter[str] = Counter()
    for record in records:
        found.update(record.conversions)
    return dict(sorted(found.items()))


def fallbacks_of(records: Iterable[WellRecord]) -> list[tuple[Fallback, list[str]]]:
    """Return what was done where devices were too small, with all calls of all wells, and these wells."""
    wells: dict[Fallback, list[str]] = {}
    calls: Counter[Fallback] = Counter()
    for record in records:
        for fallback in record.fallbacks:
            what = attrs.evolve(fallback, calls=0)
            wells.setdefault(what, []).append(record.well)
            calls[what] += fallback.calls
    return [(attrs.evolve(what, calls=calls[what]), where) for what, where in wells.items()]


def fallback_json(fallback: Fallback, wells: list[str]) -> dict[str, Any]:
    """Return what `run.json` holds of one."""
    return {
        "step": fallback.step,
        "kernel": fallback.kernel,
        "device": fallback.device,
        "to": fallback.to,
        "calls": fallback.calls,
        "wells": wells,
    }
