"""What runs the wells of a plan: the `Executor` protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.task import RunJob, WellRecord, WellTask

OnRecord = Callable[[WellRecord], None]
"""Is told of each well as soon as it is done, in the driver's thread."""


@runtime_checkable
class Executor(Protocol):
    """Runs wells, handed out one by one; made without arguments."""

    def run(
        self,
        job: RunJob,
        tasks: Sequence[WellTask],
        plugins: PluginManager,
        on_record: OnRecord,
        stop: threading.Event,
    ) -> None:
        """Run every task and tell its record; return when all are done, or when those in hand are after `stop`.

        A well that fails is a record, not an error. Whatever happens, no worker is left.

        Parameters
        ----------
        job
            What workers are told once.
        tasks
            The wells.
        plugins
            The driver's own, for work in the calling process.
        on_record
            Is called for each finished well, in this thread.
        stop
            Set from outside to end the run after the wells in hand.
        """
        ...
