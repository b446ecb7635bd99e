"""Reading the planes of wells: what each has to be, and a thread that is one plane ahead."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from hcs_core.plate.reader import Readers
from hcs_core.runtime.task import RunJob, WellTask
from hcs_core.runtime.well.read_ahead import ReadAhead, SourceKey, WellPlanes


class Reading:
    """Opens wells for reading; a runner of wells has one, which all that it does shares.

    Parameters
    ----------
    job
        Whose plate it is.
    readers
        They are used by `thread` alone, or while that waits.
    thread
        A pool of one thread.
    """

    def __init__(self, job: RunJob, readers: Readers, thread: Executor) -> None:
        self._root = job.plate_root
        self._readers = readers
        self._thread = thread
        lanes = job.plan.lanes
        self.numbers = tuple(channel.number for _, channel in lanes)
        """The plate's numbers of the plan's lanes."""
        self._expected = {channel.number: (image.shape, image.dtype) for image, channel in lanes}

    def source(self, task: WellTask) -> WellPlanes:
        """Return what reads the planes of a well, one by one."""
        return WellPlanes(task.planes, self._readers, self._root, self._expected)

    def ahead(self, task: WellTask, keys: Sequence[SourceKey]) -> ReadAhead:
        """Begin to read planes of a well in an order."""
        return ReadAhead(keys, self.source(task).read, self._thread)
