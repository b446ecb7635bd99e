"""Measuring all that can be chosen: each library in a process of its own, which is like a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as LateError
from contextlib import closing
from datetime import UTC, datetime
from typing import TypeVar

import attrs
import cloudpickle
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.choice.costs import DTYPES, Costs, KernelCost, LibraryCost
from hcs_core.compiler.choice.costs_file import this_hardware
from hcs_core.errors import one_line
from hcs_core.plugins.libraries import usable
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.measuring.measuring_worker import Cost, Task, leave_interrupts, measure, start
from hcs_core.runtime.workers.worker_environment import ONE_THREAD, STEADY_HEAP

SECONDS = 60.0
"""What measuring takes at most."""

MOST_SECONDS_EACH = 60.0
"""What takes longer does not come to an end."""

T = TypeVar("T")

Told = Callable[[str], None]
"""What is told of progress, a line at a time."""


def no_costs_yet() -> Costs:
    """Return no costs, of this machine and this moment."""
    return Costs(measured_on=this_hardware(), measured_at=datetime.now(UTC).isoformat(timespec="seconds"))


def with_cost(costs: Costs, found: Cost) -> Costs:
    """Return costs with one more."""
    if isinstance(found, LibraryCost):
        return attrs.evolve(costs, libraries=(*costs.libraries, found))
    if isinstance(found, KernelCost):
        return attrs.evolve(costs, kernels=(*costs.kernels, found))
    return attrs.evolve(costs, routes=(*costs.routes, found))


def measured(plugins: PluginManager, told: Told, seconds: float = SECONDS) -> Iterator[Cost]:
    """Yield what every memory type that is ready takes, one by one as it is measured.

    A library, a kernel or a process that fails is told of and left out. Each memory type gets an equal part of the
    time that is left; what is wanted most comes first in it: conversions, then kernels of uint16, float32 and uint8.

    Parameters
    ----------
    plugins
        What is registered.
    told
        Gets a line of progress at a time.
    seconds
        After so many seconds nothing more is begun.
    """
    ready = [spec.name for spec in plugins.memory_types if usable(plugins, spec.name)]
    # numpy first: without it nothing can be compared.
    ready.sort(key=lambda name: (name != HOST, name))
    end = time.monotonic() + seconds
    recipe: bytes = cloudpickle.dumps(plugins.recipe())
    for number, name in enumerate(ready):
        now = time.monotonic()
        own_end = now + max(0.0, end - now) / (len(ready) - number)
        with closing(_LibraryProcess(recipe, name, told)) as process:
            yield from _measured_of(plugins, process, own_end)


def _measured_of(plugins: PluginManager, process: _LibraryProcess, end: float) -> Iterator[Cost]:
    """Yield what one memory type takes, until its time is over."""
    library = process.start()
    if library is None:
        return
    yield library
    name = library.memory_type
    tasks = _tasks(plugins, name, library.devices)
    where = ", ".join(library.devices) or "no device"
    process.told(f"{name}: started in {library.start_seconds:.1f} s, on {where}; {len(tasks)} things to measure")
    done = 0
    for task in tasks:
        if time.monotonic() > end:
            break
        yield from process.measure(task)
        done += 1
    process.told(f"{name}: {done} of {len(tasks)} done")


def _tasks(plugins: PluginManager, memory_type: str, devices: tuple[str, ...]) -> list[Task]:
    """Return what there is to measure, in the order in which it is wanted; cards before the CPU."""
    kernels = [spec.name for spec in plugins.kernels if spec.memory_type == memory_type]
    places = sorted(devices, key=lambda device: device == CPU)
    routes = [Task(device, dtype) for dtype in DTYPES for device in places if memory_type != HOST]
    return routes + [Task(device, dtype, name) for dtype in DTYPES for device in places for name in kernels]


class _LibraryProcess:
    """A process in which one library is measured, begun anew where it dies or does not come to an end."""

    def __init__(self, recipe: bytes, memory_type: str, told: Told) -> None:
        self._recipe = recipe
        self._name = memory_type
        self.told = told
        self._pool: ProcessPoolExecutor | None = None

    def start(self) -> LibraryCost | None:
        """Start the library; `None` where it cannot be."""
        return self._call(f"{self._name} cannot be started", start, self._recipe, self._name)

    def measure(self, task: Task) -> tuple[Cost, ...]:
        """Measure one thing; nothing where that fails."""
        if self._pool is None and self.start() is None:
            return ()
        what = task.kernel or f"conversions of {self._name}"
        return self._call(f"{what} on {task.device} in {task.dtype}", measure, task) or ()

    def close(self) -> None:
        """End the process, in the midst of what it does."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)

    def _call(self, what: str, function: Callable[..., T], *given: object) -> T | None:
        if self._pool is None:
            environment = {**ONE_THREAD, **STEADY_HEAP}
            self._pool = ProcessPoolExecutor(1, initializer=leave_interrupts, env=environment, timeout=None)
        try:
            found: T = self._pool.submit(function, *given).result(timeout=MOST_SECONDS_EACH)
        except (BrokenProcessPool, LateError) as error:
            self.close()
            self.told(f"{what}: left out ({one_line(error)})")
        # A library or a kernel may raise anything; the rest is measured all the same.
        except Exception as error:  # noqa: BLE001
            self.told(f"{what}: left out ({one_line(error)})")
        else:
            return found
        return None
