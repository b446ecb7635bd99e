"""What a process keeps that measures: the bench of one memory type."""

from __future__ import annotations

import signal

import attrs
import cloudpickle

from hcs_core.compiler.choice.costs import KernelCost, LibraryCost, RouteCost
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.measuring.bench import Bench

Cost = LibraryCost | KernelCost | RouteCost
"""One thing that was measured."""


@attrs.frozen
class Task:
    """One thing to measure: a kernel, or without one the routes to and from a device."""

    device: str
    dtype: str
    kernel: str = ""


@attrs.define
class _State:
    bench: Bench | None = None


_state = _State()


def leave_interrupts() -> None:
    """Leave Ctrl-C to the process that this one works for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def start(pickled_recipe: bytes, memory_type: str) -> LibraryCost:
    """Start a memory type's library, and return how long that took; in this process, all else is measured of it."""
    plugins = PluginManager.from_recipe(cloudpickle.loads(pickled_recipe))
    _state.bench = Bench(plugins, memory_type)
    return _state.bench.library()


def measure(task: Task) -> tuple[Cost, ...]:
    """Return what a task measures: nothing where it is not to be had."""
    bench = _state.bench
    if bench is None:
        raise RuntimeError("no library was started in this process")
    if not task.kernel:
        return bench.routes(task.device, task.dtype)
    found = bench.kernel(task.kernel, task.device, task.dtype)
    return () if found is None else (found,)
