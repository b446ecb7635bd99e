# A script that stands alone, no part of a package.
# ruff: noqa: INP001
"""CPU time of each portable kernel in each array library, beside the numpy kernel of its operation; one thread.

Run it with `python benchmarks/portable.py`, or with words that the operations to measure have in their names. Tiles
are 2160 x 2160 uint16, stacks 10 of them, as each library holds them; no conversion counts. jax compiles what can be
compiled. Runs are interleaved, and medians are taken; hcs-numpy has to be installed, torch and jax are measured where
they are.
"""

from __future__ import annotations

import functools
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

# Before the libraries look at it. It is this process's own.
os.environ.update(OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", OMP_NUM_THREADS="1")

import cv2
import numpy as np
import numpy.typing as npt

from hcs_numpy import plugin
from hcs_operations.operations import OPERATIONS, Operation

SIDE = 2160
DEPTH = 10
ROUNDS = 5

PARAMETERS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "gaussian_blur": ({"sigma": 2.0}, {"sigma": 10.0}, {"sigma": 50.0}),
    "unsharp_mask": ({"radius": 5.0},),
    "white_tophat": ({"radius": 10}, {"radius": 50}),
    "crop": ({"y": 100, "x": 100},),
    "bin": ({"factor": 2}, {"factor": 4}),
    "best_focus_projection": ({"measure": "normalized_variance"}, {"measure": "tenengrad"}),
}
"""Of each operation, where not its defaults."""

NATIVE = {spec.operation: spec.target for spec in plugin.hcs_kernels()}


def resolved(target: str) -> Callable[..., Any]:
    """Return what a target names."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def image(axes: str) -> npt.NDArray[np.uint16]:
    """Return a plane, or a stack of planes, with the histogram of a stained well: dark, with a long tail."""
    plane = np.random.default_rng(0).gamma(2.0, 800.0, (SIDE, SIDE)).clip(0, 65535).astype(np.uint16)
    stack = np.stack([np.roll(plane, 7 * shift) for shift in range(DEPTH)])
    return {"yx": plane, "zyx": stack, "cyx": stack[:4]}[axes]


def calls(operation: Operation, parameters: dict[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the calls of an operation, each by its column."""
    pixels = image(operation.signature.axes)
    yield "numpy kernel", functools.partial(resolved(NATIVE[operation.name]), pixels, **parameters)
    kernel = functools.partial(resolved(operation.portable), dtype="uint16", **parameters)
    yield "numpy", functools.partial(kernel, pixels)
    if find_spec("torch"):
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        yield "torch", functools.partial(kernel, torch.from_numpy(pixels.astype(np.int32)))
    if find_spec("jax"):
        jax = importlib.import_module("jax")
        # Whether integers are measured is not asked of their values: only Otsu's threshold is found on the host.
        compiled = kernel if operation.name == "threshold_otsu" else jax.jit(kernel)
        array = jax.numpy.asarray(pixels)
        yield "jax", lambda: compiled(array).block_until_ready()


def medians(measured: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the CPU milliseconds of each call, the median of interleaved rounds; each is called once before."""
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(ROUNDS):
        for name, call in measured.items():
            call()
            start = time.process_time()
            call()
            times[name].append((time.process_time() - start) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def rows() -> Iterator[tuple[str, Operation, dict[str, Any]]]:
    """Yield what is measured: its name, the operation, and its parameters."""
    profile = np.outer(*[1 - 0.4 * np.linspace(-1, 1, SIDE) ** 2] * 2).astype(np.float32)
    for name, operation in OPERATIONS.items():
        for parameters in PARAMETERS.get(name, ({},)):
            told = ", ".join(
                f"{value:g}" if isinstance(value, float) else str(value) for value in parameters.values()
            )
            given = {"profile": profile} if name == "flat_field" else parameters
            yield f"{name}, {told}" if told else name, operation, given


def main() -> None:
    """Measure and print."""
    # This process is the benchmark's own; the kernels never touch the number of threads.
    cv2.setNumThreads(1)
    write = sys.stdout.write
    columns = ["numpy kernel", "numpy", *(name for name in ("torch", "jax") if find_spec(name))]
    write(f"{SIDE} x {SIDE} uint16, stacks of {DEPTH}, CPU ms, median of {ROUNDS}; in brackets times the kernel\n\n")
    write(f"| {'operation':40} | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}\n")
    for name, operation, parameters in rows():
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        taken = medians(dict(calls(operation, parameters)))
        own = taken.pop("numpy kernel")
        others = " | ".join(f"{found:.1f} ({found / own:.1f})" for found in taken.values())
        write(f"| {name:40} | {own:.1f} | {others} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
