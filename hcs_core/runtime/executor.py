"""What runs the wells of a plan: the `Executor` and `Session` protocols."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.task import RunJob, WellRecord, WellTask

OnRecord = Callable[[WellRecord], None]
"""Is told of each well as soon as it is done, in the driver's thread."""


class Session(Protocol):
    """Workers that were told a plan; they run its stages, one after the other."""

    def run(self, tasks: Sequence[WellTask], on_record: OnRecord, stop: threading.Event) -> None:
        """Run every task and tell its record; return when all are done, or when those in hand are after `stop`.

        A well that fails is a record, not an error. What a worker keeps from one stage may serve the next.

        Parameters
        ----------
        tasks
            The wells of a stage, with what the stages before have made.
        on_record
            Is called for each finished well, in this thread.
        stop
            Set from outside to end after the wells in hand.
        """
        ...


@runtime_checkable
class Executor(Protocol):
    """Opens sessions; made without arguments."""

    def open(self, job: RunJob, plugins: PluginManager, workers: int) -> AbstractContextManager[Session]:
        """Return a session with workers that know the plan; whatever happens, none is left at the end of its block.

        Workers may start at once: the driver has something to do before the first stage. No store exists yet.

        Parameters
        ----------
        job
            What workers are told once.
        plugins
            The driver's own, for work in the calling process.
        workers
            How many there can be use for: as many as the plan allows, and no more than a stage has tasks.

        Raises
        ------
        RunError
            The job cannot be sent to workers.
        """
        ...
