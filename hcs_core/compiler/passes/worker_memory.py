"""What a worker of a plan needs at once: on the host, and on each device that its nodes work on."""

from __future__ import annotations

import functools
from collections import Counter

from hcs_core.compiler.held_dtypes import held_dtype
from hcs_core.compiler.passes.counted_planes import Holds
from hcs_core.compiler.passes.estimate_memory import collecting_memory
from hcs_core.compiler.passes.peak_memory import PeakMemory, estimated_bytes, peak_memory
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.manager import PluginManager


def worker_memory(plan: Plan, plugins: PluginManager) -> PeakMemory:
    """Return the most that a worker holds, for any well and stage of a plan whose nodes have memory types."""
    in_memory, holds = _in_memory(plan.intermediate_backend, plugins), holding(plugins)
    peak = peak_memory(plan, waits_in_memory=in_memory, holds=holds)
    collecting = collecting_memory(plan, waits_in_memory=in_memory, holds=holds)
    return PeakMemory(
        total=max(peak.total, collecting.total) + sum(map(estimated_bytes, plan.nodes)),
        waiting=peak.waiting,
        devices=dict(Counter(peak.devices) | Counter(collecting.devices)),
    )


def holding(plugins: PluginManager) -> Holds:
    """Return what says in which dtype memory types hold images; each is asked once for each dtype.

    What one cannot hold, which is a problem that others tell, is counted as it is.
    """

    @functools.cache
    def holds(memory_type: str, dtype: str) -> str:
        return held_dtype(memory_type, dtype, plugins) or dtype

    return holds


def _in_memory(backend: str, plugins: PluginManager) -> bool:
    """Whether planes between nodes are held in memory; a backend that is not there counts as one that does."""
    return backend not in plugins.storage_backends or not plugins.storage_backends.get(backend).durable
