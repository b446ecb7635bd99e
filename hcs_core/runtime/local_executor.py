"""The local executor: processes, threads, or the calling process of this machine."""

from __future__ import annotations

import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import cloudpickle
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool

from hcs_core.errors import RunError, one_line
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.executor import OnRecord, Session
from hcs_core.runtime.task import Fault, RunJob, WellRecord, WellTask
from hcs_core.runtime.well import WellRunner
from hcs_core.runtime.worker import nothing, run_task, set_up
from hcs_core.runtime.worker_environment import ONE_THREAD, STEADY_HEAP

IN_FLIGHT = 2
"""Tasks a worker that are handed out at once: enough that none waits, few enough that a stop is quick."""

MOST_DEATHS = 3
"""A well whose worker died so often, alone in its pool, is given up."""

_TICK = 0.5
"""Seconds after which a wait looks whether it is to stop; also what lets a signal in."""


class LocalExecutor:
    """Runs wells on this machine; which way follows from the plan's `workers` and `threads`."""

    @contextmanager
    def open(self, job: RunJob, plugins: PluginManager, workers: int) -> Iterator[Session]:
        """Open a session, as `Executor.open` says."""
        if job.plan.threads:
            with ThreadPoolExecutor(workers, thread_name_prefix="hcs-well") as pool:
                yield _Threads(job, plugins, pool, workers)
        elif job.plan.threads is None and job.plan.workers == 1:
            yield _Here(job, plugins)
        else:
            processes = _Processes(_pickled(job), workers)
            try:
                processes.start()
                yield processes
            except BaseException:
                processes.end(kill=True)
                raise
            processes.end()


class _Here:
    """Runs wells in the calling process."""

    def __init__(self, job: RunJob, plugins: PluginManager) -> None:
        self._runner = WellRunner(job, plugins)

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

    def run(self, tasks: Sequence[WellTask], on_record: OnRecord, stop: threading.Event) -> None:
        try:
            _drain(self._pool, self._run, deque(tasks), self._workers, on_record, stop)
        except BaseException:
            self._pool.shutdown(wait=True, cancel_futures=True)
            raise

    def _run(self, task: WellTask) -> WellRecord:
        if not hasattr(self._own, "runner"):
            self._own.runner = WellRunner(self._job, self._plugins)
        record: WellRecord = self._own.runner.run(task)
        return record


class _Processes:
    """Runs wells in worker processes; the wells in hand when a worker dies are tried again one by one."""

    def __init__(self, pickled_job: bytes, workers: int) -> None:
        self._pickled_job = pickled_job
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Let the workers start: they import their libraries while the driver does something else."""
        with _interrupt_held_back():
            self._ready().submit(nothing)

    def end(self, *, kill: bool = False) -> None:
        """End the workers; with `kill`, in the midst of what they do."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=kill)

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = _new_pool(self._workers, self._pickled_job)
        return self._pool

    def run(self, tasks: Sequence[WellTask], on_record: OnRecord, stop: threading.Event) -> None:
        waiting = deque(tasks)
        while waiting and not stop.is_set():
            in_hand: list[WellTask] = []
            try:
                _drain(self._ready(), run_task, waiting, self._workers, on_record, stop, in_hand)
            except BrokenProcessPool:
                # A worker died: what was in hand is tried again, in other workers.
                self.end(kill=True)
            else:
                return
            for task in in_hand:
                if not stop.is_set():
                    on_record(_alone(task, self._pickled_job))


def _pickled(job: RunJob) -> bytes:
    try:
        pickled: bytes = cloudpickle.dumps(job)
    except (pickle.PicklingError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        functions = ", ".join(node.operation for node in job.plan.nodes if node.function is not None)
        raise RunError(
            f"the plan cannot be sent to worker processes ({one_line(error)}): make the step functions "
            f"({functions or 'none'}) picklable, or run with use_threading=True or one worker."
        ) from error
    return pickled


def _new_pool(workers: int, pickled_job: bytes) -> ProcessPoolExecutor:
    environment = {**ONE_THREAD, **STEADY_HEAP}
    return ProcessPoolExecutor(workers, initializer=set_up, initargs=(pickled_job,), env=environment, timeout=None)


@contextmanager
def _pool(workers: int, pickled_job: bytes) -> Iterator[Executor]:
    """Give a pool of fresh workers, and end them whatever happens."""
    pool = _new_pool(workers, pickled_job)
    finished = False
    try:
        yield pool
        finished = True
    finally:
        pool.shutdown(wait=True, kill_workers=not finished)


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


def _alone(task: WellTask, pickled_job: bytes) -> WellRecord:
    """Run a task in a pool of one worker, again after each of its deaths, up to `MOST_DEATHS`."""
    why = ""
    for _ in range(MOST_DEATHS):
        with _pool(1, pickled_job) as pool:
            try:
                with _interrupt_held_back():
                    future = pool.submit(run_task, task)
                return future.result()
            except BrokenProcessPool as error:
                why = one_line(error)
    fault = Fault(
        error=f"its worker died {MOST_DEATHS} times ({why}): a crash in a library, or not enough memory; run it with "
        "fewer workers, or leave the well out."
    )
    return WellRecord(well=task.well, status="failed", fault=fault)


def _drain(
    pool: Executor,
    run: Callable[[WellTask], WellRecord],
    waiting: deque[WellTask],
    workers: int,
    on_record: OnRecord,
    stop: threading.Event,
    in_hand: list[WellTask] | None = None,
) -> None:
    """Hand out tasks one by one, a few for each worker at a time, and tell each record.

    `in_hand` is filled with what was handed out and has no record, when the pool breaks.
    """
    futures: dict[Future[WellRecord], WellTask] = {}
    try:
        while (waiting or futures) and not (stop.is_set() and not futures):
            while waiting and len(futures) < IN_FLIGHT * workers and not stop.is_set():
                with _interrupt_held_back():
                    futures[pool.submit(run, waiting[0])] = waiting[0]
                # Taken only now: a pool that is found broken here must not cost a well.
                waiting.popleft()
            if stop.is_set():
                for future in [future for future in futures if future.cancel()]:
                    del futures[future]
            done, _ = wait(futures, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                record = future.result()
                del futures[future]
                on_record(record)
    except BrokenProcessPool:
        if in_hand is not None:
            in_hand.extend(futures.values())
        raise
