"""What a worker process keeps: the job that it was told once, and its runner."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.util import Finalize

import attrs
import cloudpickle

from hcs_core.errors import one_line
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.task import Fault, RunJob, WellRecord, WellTask
from hcs_core.runtime.well.runner import WellRunner
from hcs_core.runtime.workers.device_slots import DeviceSlots

_WATCH_SECONDS = 0.5

_LAST = -1_000_000
"""The priority of what a process does last at its end."""


@attrs.define
class _State:
    runner: WellRunner | None = None
    fault: str = "the worker was not set up"


_state = _State()


def set_up(pickled_job: bytes, environment: Sequence[tuple[str, str]], slots: DeviceSlots) -> None:
    """Make this process a worker for a job; never raises: a fault is kept for the first task to report.

    It is bound to the device of a slot that is free. The environment is for libraries, and set before any of them is
    imported; what the user has set stays.

    Ctrl-C is the driver's business: a terminal sends it to workers too, and they would die of it in mid-well.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Taking an interpreter with large libraries apart takes 0.3 s, for which the driver waits. Forked processes end
    # like this, too.
    Finalize(None, _end, exitpriority=_LAST)
    threading.Thread(target=_end_with_driver, args=(os.getppid(),), name="hcs-driver-watch", daemon=True).start()
    for name, value in environment:
        os.environ.setdefault(name, value)
    try:
        job: RunJob = cloudpickle.loads(pickled_job)
        _state.runner = WellRunner(job, PluginManager.from_recipe(job.plugins), slots.claim())
    # A worker that raises here breaks the whole pool; what it raised is reported by its first task.
    except Exception as error:  # noqa: BLE001
        _state.fault = one_line(error)


def _end() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # Nobody reads what a worker prints any more.
            stream.flush()
    os._exit(0)


def _end_with_driver(driver: int) -> None:
    """End this process when the driver is gone without a word: a worker would wait for its next task for ever."""
    while os.getppid() == driver:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def nothing() -> None:
    """Do nothing: who asks for it wants the worker to be there."""


def run_tasks(tasks: Sequence[WellTask]) -> tuple[WellRecord, ...]:
    """Run wells in this worker, one after the other."""
    if _state.runner is None:
        fault = Fault(error=f"a worker cannot start: {_state.fault}")
        return tuple(WellRecord(well=task.well, status="failed", fault=fault) for task in tasks)
    runner = _state.runner
    return tuple(runner.run(task) for task in tasks)
