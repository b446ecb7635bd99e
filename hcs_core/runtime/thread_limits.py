"""One thread for each worker: the environment in which array libraries keep to it."""

from __future__ import annotations

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
