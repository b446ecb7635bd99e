"""What was done where the memory of a device was too small, counted until a well's record takes it."""

from __future__ import annotations

from collections import Counter

import attrs

from hcs_core.runtime.task import Fallback
from hcs_core.runtime.well.kernels import Kernel


class Fallbacks:
    """The smaller batches of a runner of wells, which stay so, and what became of single calls."""

    def __init__(self) -> None:
        self._batches: dict[int, int] = {}
        self._counts: Counter[Fallback] = Counter()

    def batch(self, kernel: Kernel) -> int:
        """Return how many images a kernel gets at once: as planned, or fewer after its device was full."""
        return self._batches.get(kernel.index, kernel.node.batch)

    def halve(self, kernel: Kernel, size: int) -> None:
        """Keep to half of a batch that was too large from now on."""
        self._batches[kernel.index] = size // 2
        self._counts[attrs.evolve(_of(kernel), batch=size // 2)] += 1

    def note(self, kernel: Kernel, other: Kernel) -> None:
        """Note that another kernel, or the same on another device, computed a call."""
        node = other.node
        self._counts[
            attrs.evolve(_of(kernel), other_kernel=other.name, other_device=node.device, version=node.version)
        ] += 1

    def taken(self) -> tuple[Fallback, ...]:
        """Return what was noted since this was asked last."""
        found = tuple(attrs.evolve(fallback, calls=calls) for fallback, calls in self._counts.items())
        self._counts.clear()
        return found


def _of(kernel: Kernel) -> Fallback:
    return Fallback(step=kernel.node.step, kernel=kernel.name, device=kernel.node.device)
