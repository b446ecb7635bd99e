"""The environment in which worker processes start: one thread each, a heap that keeps its size, and no early end."""

from __future__ import annotations

from hcs_core.compiler.plan import Plan
from hcs_core.plugins.manager import PluginManager

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
        "BLOSC_NTHREADS",
    ),
    "1",
)
"""Workers share the cores by wells: a library that made threads of its own in each would make too many, and threads
that wait for work by spinning cost CPU time even where there is one worker only."""

STEADY_HEAP = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
}
"""How glibc hands out memory in a worker: planes come and go in two threads, and with a heap for each thread and
thresholds that move, a worker's memory grew by three planes at a moment that nobody could foretell."""

NO_EARLY_END = {"LOKY_MAX_MEMORY_LEAK_SIZE": str(2**62)}
"""Where psutil is installed, loky ends a worker that has grown by 300 MB since its first task, warns, and starts
another, which imports its libraries again. A library that compiles, or keeps what it freed, grows by that; how much
planes need is planned."""


def library_environment(plan: Plan, plugins: PluginManager) -> tuple[tuple[str, str], ...]:
    """Return what the memory types of a plan want in the environment of its worker processes.

    Workers set what the user has not set, before they import anything.
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys(node.memory_type for node in plan.nodes):
        if name in plugins.memory_types:
            for variable, value in plugins.memory_types.get(name).worker_environment:
                found.setdefault(variable, value)
    return tuple(found.items())
