"""The local executor: processes, threads, or the calling process of this machine."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path

import attrs
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool

from hcs_core.errors import one_line
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.executor import OnRecord, Session
from hcs_core.runtime.journal import FOLDER
from hcs_core.runtime.task import Fault, RunJob, WellRecord, WellTask
from hcs_core.runtime.well.runner import WellRunner
from hcs_core.runtime.workers.device_slots import device_slots
from hcs_core.runtime.workers.pickled_job import pickled
from hcs_core.runtime.workers.worker import nothing, run_tasks, set_up
from hcs_core.runtime.workers.worker_environment import NO_EARLY_END, ONE_THREAD, STEADY_HEAP, library_environment

IN_FLIGHT = 2
"""Tasks a worker that are handed out at once: enough that none waits, few enough that a stop is quick."""

GROUP_SECONDS = 0.05
"""Wells that take less are handed out in groups that take about as long: a task costs half a millisecond."""

MOST_IN_GROUP = 16
"""Wells that are handed out at once at most."""

MOST_DEATHS = 3
"""A well whose worker died so often, alone in its pool, is given up."""

_TICK = 0.5
"""Seconds after which a wait looks whether it is to stop; also what lets a signal in."""


class LocalExecutor:
    """Runs wells on this machine; which way follows from the plan's `workers` and `threads`."""

    @contextmanager
    def open(self, job: RunJob, plugins: PluginManager, workers: int) -> Iterator[Session]:
        """Open a session, as `Executor.open` says."""
        devices = job.plan.worker_devices[:workers]
        if job.plan.threads:
            pool = ThreadPoolExecutor(workers, thread_name_prefix="hcs-well")
            with closing(_Threads(job, plugins, pool, workers)) as threads:
                yield threads
        elif job.plan.threads is None and job.plan.workers == 1:
            with closing(WellRunner(job, plugins, *devices)) as runner:
                yield _Here(runner)
        else:
            start = WorkerStart(
                pickled_job=pickled(job),
                environment=library_environment(job.plan, plugins),
                devices=devices,
                folder=job.output / FOLDER,
            )
            processes = _Processes(start, workers)
            try:
                processes.start()
                yield processes
            except BaseException:
                processes.end(kill=True)
                raise
            processes.end()


class _Here:
    """Runs wells in the calling process."""

    def __init__(self, runner: WellRunner) -> None:
        self._runner = runner

    def run(self, tasks: Sequence[WellTask], on_record: OnRecord, stop: threading.Event) -> None:
        for task in tasks:
            if stop.is_set():
                return
            on_record(self._runner.run(task))


class _Threads:
    """Runs wells in threads, each with a runner of its own."""

    def __init__(self, job: RunJob, plugins: PluginManager, pool: ThreadPoolExecutor, workers: int) -> None:
        self._job = job
        self._plugins = plugins
        self._pool = pool
        self._workers = workers
        self._own = threading.local()
        self._devices = iter(job.plan.worker_devices[:workers])
        self._runners: list[WellRunner] = []

    def run(self, tasks: Sequence[WellTask], on_record: OnRecord, stop: threading.Event) -> None:
        _drain(self._pool, self._run, deque(tasks), self._workers, on_record, stop)

    def _run(self, group: Sequence[WellTask]) -> tuple[WellRecord, ...]:
        if not hasattr(self._own, "runner"):
            # The pool never has more threads than there are workers.
            self._own.runner = WellRunner(self._job, self._plugins, next(self._devices, ""))
            self._runners.append(self._own.runner)
        runner: WellRunner = self._own.runner
        return tuple(runner.run(task) for task in group)

    def close(self) -> None:
        """End the threads, after the wells in hand."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for runner in self._runners:
            runner.close()


class _Processes:
    """Runs wells in worker processes; the wells in hand when a worker dies are tried again one by one."""

    def __init__(self, start: WorkerStart, workers: int) -> None:
        self._start = start
        self._workers = workers
        self._pool: _Pool | None = None

    def start(self) -> None:
        """Let the workers start: they import their libraries while the driver does something else."""
        with _interrupt_held_back():
            self._ready().submit(nothing)

    def end(self, *, kill: bool = False) -> None:
        """End the workers; with `kill`, in the midst of what they do."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.end(kill=kill)

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = _Pool(self._workers, self._start)
        return self._pool.executor

    def run(self, tasks: Sequence[WellTask], on_record: OnRecord, stop: threading.Event) -> None:
        waiting = deque(tasks)
        while waiting and not stop.is_set():
            in_hand: list[WellTask] = []
            try:
                _drain(self._ready(), run_tasks, waiting, self._workers, on_record, stop, in_hand)
            except BrokenProcessPool:
                # A worker died: what was in hand is tried again, in other workers.
                self.end(kill=True)
            else:
                return
            for task in in_hand:
                if not stop.is_set():
                    on_record(_alone(task, self._start))


@attrs.frozen(kw_only=True, eq=False)
class WorkerStart:
    """What worker processes start with.

    Attributes
    ----------
    pickled_job, environment
        As in `set_up`.
    devices, folder
        What each of them is bound to, and where they claim it.
    """

    pickled_job: bytes
    environment: tuple[tuple[str, str], ...]
    devices: tuple[str, ...]
    folder: Path


class _Pool:
    """A pool of fresh workers, and the slots that they claim."""

    def __init__(self, workers: int, start: WorkerStart) -> None:
        self._left = ExitStack()
        slots = self._left.enter_context(device_slots(start.devices[:workers], start.folder))
        self.executor = ProcessPoolExecutor(
            workers,
            initializer=set_up,
            initargs=(start.pickled_job, start.environment, slots),
            env={**ONE_THREAD, **STEADY_HEAP, **NO_EARLY_END},
            timeout=None,
        )

    def end(self, *, kill: bool = False) -> None:
        """End the workers; with `kill`, in the midst of what they do."""
        with self._left:
            self.executor.shutdown(wait=True, kill_workers=kill)


@contextmanager
def _pool(workers: int, start: WorkerStart) -> Iterator[Executor]:
    """Give a pool of fresh workers, and end them whatever happens."""
    pool = _Pool(workers, start)
    finished = False
    try:
        yield pool.executor
        finished = True
    finally:
        pool.end(kill=not finished)


@contextmanager
def _interrupt_held_back() -> Iterator[None]:
    """Hold Ctrl-C back from this thread while it may start workers; they inherit that, and start in peace.

    A worker that got it before it was set up would print a traceback of its own. What came meanwhile is delivered to
    this thread at the end.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _alone(task: WellTask, start: WorkerStart) -> WellRecord:
    """Run a task in a pool of one worker, again after each of its deaths, up to `MOST_DEATHS`."""
    why = ""
    for _ in range(MOST_DEATHS):
        with _pool(1, start) as pool:
            try:
                with _interrupt_held_back():
                    future = pool.submit(run_tasks, (task,))
                (record,) = future.result()
            except BrokenProcessPool as error:
                why = one_line(error)
            else:
                return record
    fault = Fault(
        error=f"its worker died {MOST_DEATHS} times ({why}): a crash in a library, or not enough memory; run it with "
        "fewer workers, or leave the well out."
    )
    return WellRecord(well=task.well, status="failed", fault=fault)


def _drain(
    pool: Executor,
    run: Callable[[Sequence[WellTask]], tuple[WellRecord, ...]],
    waiting: deque[WellTask],
    workers: int,
    on_record: OnRecord,
    stop: threading.Event,
    in_hand: list[WellTask] | None = None,
) -> None:
    """Hand out tasks one by one, or tiny ones in groups, a few for each worker at a time, and tell each record.

    `in_hand` is filled with what was handed out and has no record, when the pool breaks.
    """
    futures: dict[Future[tuple[WellRecord, ...]], tuple[WellTask, ...]] = {}
    size = 1
    try:
        while (waiting or futures) and not (stop.is_set() and not futures):
            while waiting and len(futures) < IN_FLIGHT * workers and not stop.is_set():
                group = tuple(islice(waiting, min(size, max(1, len(waiting) // (2 * IN_FLIGHT * workers)))))
                with _interrupt_held_back():
                    futures[pool.submit(run, group)] = group
                # Taken only now: a pool that is found broken here must not cost a well.
                for _ in group:
                    waiting.popleft()
            if stop.is_set():
                for future in [future for future in futures if future.cancel()]:
                    del futures[future]
            done, _ = wait(futures, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                records = future.result()
                del futures[future]
                size = _group_size(records)
                for record in records:
                    on_record(record)
    except BrokenProcessPool:
        if in_hand is not None:
            in_hand.extend(task for group in futures.values() for task in group)
        raise


def _group_size(records: Sequence[WellRecord]) -> int:
    """Return how many wells go together if the next ones take as long as the longest of these."""
    longest = max(record.seconds for record in records)
    return max(1, min(MOST_IN_GROUP, int(GROUP_SECONDS / max(longest, GROUP_SECONDS / MOST_IN_GROUP))))
