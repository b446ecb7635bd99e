"""Measuring all that can be chosen: each library in a process of its own, which is like a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import attrs
import cloudpickle

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.choice.costs import DTYPES, Costs, KernelCost, LibraryCost
from hcs_core.compiler.choice.costs_file import this_hardware
from hcs_core.errors import RunError
from hcs_core.plugins.libraries import usable
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.measuring.library_process import Cost, LibraryProcess, Task

SECONDS = 60.0
"""What measuring takes at most."""

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
    ready = [spec.name for spec in plugins.memory_types if usable(plugins.memory_types, spec.name)]
    # numpy first: without it nothing can be compared.
    ready.sort(key=lambda name: (name != HOST, name))
    end = time.monotonic() + seconds
    recipe: bytes = cloudpickle.dumps(plugins.recipe())
    for number, name in enumerate(ready):
        now = time.monotonic()
        own_end = now + max(0.0, end - now) / (len(ready) - number)
        environment = dict(plugins.memory_types.get(name).worker_environment)
        with closing(LibraryProcess(recipe, name, environment)) as process:
            yield from _measured_of(plugins, name, process, told, own_end)


def _measured_of(
    plugins: PluginManager, name: str, process: LibraryProcess, told: Told, end: float
) -> Iterator[Cost]:
    """Yield what one memory type takes, until its time is over."""
    try:
        library = process.start()
    except RunError as error:
        told(f"{name} cannot be started: {error}")
        return
    yield library
    tasks = _tasks(plugins, name, library.devices)
    where = ", ".join(library.devices) or "no device"
    told(f"{name}: started in {library.start_seconds:.1f} s, on {where}; {len(tasks)} things to measure")
    done, failed, over = 0, set(), ""
    for task in tasks:
        if time.monotonic() > end:
            over = ", and its part of the time is over"
            break
        # What raises in one dtype raises in the next.
        if (task.kernel, task.device) in failed:
            continue
        try:
            yield from process.measure(task)
            done += 1
        except RunError as error:
            failed.add((task.kernel, task.device))
            told(f"{task.kernel or 'conversions'} on {task.device}, {task.dtype}: left out ({error})")
    told(f"{name}: {done} of {len(tasks)} done{over}")


def _tasks(plugins: PluginManager, memory_type: str, devices: tuple[str, ...]) -> list[Task]:
    """Return what there is to measure, in the order in which it is wanted; cards before the CPU."""
    kernels = [spec.name for spec in plugins.kernels if spec.memory_type == memory_type]
    places = sorted(devices, key=lambda device: device == CPU)
    routes = [Task(device, dtype) for dtype in DTYPES for device in places if memory_type != HOST]
    return routes + [Task(device, dtype, name) for dtype in DTYPES for device in places for name in kernels]
