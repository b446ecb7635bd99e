"""A process in which one library is started and measured: like a worker, and begun anew where it dies."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection

import attrs
import cloudpickle
from loky.backend.context import LokyContext

from hcs_core.compiler.choice.costs import KernelCost, LibraryCost, RouteCost
from hcs_core.errors import RunError, one_line
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.measuring.bench import Bench
from hcs_core.runtime.workers.worker_environment import ONE_THREAD, STEADY_HEAP

MOST_SECONDS_EACH = 60.0
"""What takes longer does not come to an end."""

Cost = LibraryCost | KernelCost | RouteCost
"""One thing that was measured."""


@attrs.frozen
class Task:
    """One thing to measure: a kernel, or without one the routes to and from a device."""

    device: str
    dtype: str
    kernel: str = ""


class LibraryProcess:
    """Measures one memory type in a process of its own.

    A pool of loky's would end a process whose memory grows, as it does with every kernel that is compiled in it.

    Parameters
    ----------
    recipe
        The pickled recipe of the plugins.
    memory_type
        What is measured.
    environment
        What its workers have in their environment, beside what every worker has.
    """

    def __init__(self, recipe: bytes, memory_type: str, environment: Mapping[str, str]) -> None:
        self._recipe = recipe
        self._environment = {**ONE_THREAD, **STEADY_HEAP, **environment}
        self._name = memory_type
        self._process: LokyContext.Process | None = None
        self._connection: Connection | None = None

    def start(self) -> LibraryCost:
        """Start the process and the library in it.

        Raises
        ------
        RunError
            The library cannot be started.
        """
        context = LokyContext()
        self._connection, theirs = context.Pipe()
        given = (theirs, self._recipe, self._name)
        self._process = context.Process(target=_serve, args=given, env=self._environment, daemon=True)
        self._process.start()
        theirs.close()
        (library,) = self._answer()
        if not isinstance(library, LibraryCost):
            raise RunError(f"{self._name} gives no times of its start.")
        return library

    def measure(self, task: Task) -> tuple[Cost, ...]:
        """Measure one thing; nothing where that is not to be had.

        Raises
        ------
        RunError
            It fails, or the process dies of it or does not come to an end: the next call begins a new one.
        """
        if self._connection is None:
            self.start()
        if self._connection is not None:
            self._connection.send(task)
        return self._answer()

    def close(self) -> None:
        """End the process, in the midst of what it does."""
        connection, self._connection = self._connection, None
        process, self._process = self._process, None
        if connection is not None:
            connection.close()
        if process is not None:
            process.terminate()
            process.join()

    def _answer(self) -> tuple[Cost, ...]:
        connection = self._connection
        if connection is None:
            raise RunError(f"no process measures {self._name}.")
        if not connection.poll(MOST_SECONDS_EACH):
            self.close()
            raise RunError(f"it takes more than {MOST_SECONDS_EACH:.0f} s")
        try:
            found: tuple[Cost, ...] | str = connection.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise RunError("its process died") from error
        if isinstance(found, str):
            raise RunError(found)
        return found


def _serve(connection: Connection, recipe: bytes, memory_type: str) -> None:
    """Do what the other process asks for until it is gone; what is raised goes back as a text."""
    # Ctrl-C is that one's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        bench = Bench(PluginManager.from_recipe(cloudpickle.loads(recipe)), memory_type)
        connection.send((bench.library(),))
        while True:
            task: Task = connection.recv()
            connection.send(_measured(bench, task))
    except EOFError:
        return
    # A library may raise anything where it starts.
    except Exception as error:  # noqa: BLE001
        connection.send(one_line(error))


def _measured(bench: Bench, task: Task) -> tuple[Cost, ...] | str:
    try:
        if not task.kernel:
            return bench.routes(task.device, task.dtype)
        found = bench.kernel(task.kernel, task.device, task.dtype)
    # A kernel may raise anything; the rest is measured all the same.
    except Exception as error:  # noqa: BLE001
        return one_line(error)
    return () if found is None else (found,)
