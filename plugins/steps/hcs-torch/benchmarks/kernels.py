# A script that stands alone, no part of a package.
# ruff: noqa: INP001
"""CPU time of each kernel on a 2160 x 2160 uint16 plane, one thread: torch's own, the portable one in torch, numpy's.

Run it with `python benchmarks/kernels.py`, or with words that the rows to measure have in their names. Images are in
the kernel's memory type already: conversions are measured on their own. Runs are interleaved, and medians are taken,
since a shared machine is never quiet for long.
"""

from __future__ import annotations

import pkgutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs
import cv2
import numpy as np
import numpy.typing as npt
import torch

from hcs_numpy.plugin import hcs_kernels as numpys_kernels
from hcs_operations.operations import OPERATIONS
from hcs_torch.memory import TorchMemory
from hcs_torch.plugin import TARGETS

Image = npt.NDArray[Any]
Call = Callable[[], Any]

IN_NUMPY = {spec.operation: spec for spec in numpys_kernels()}
SIDE = 2160
ROUNDS = 7
TOP = 65535


@attrs.frozen(kw_only=True)
class Row:
    """An operation with its arguments, and on what it works."""

    name: str
    operation: str
    image: Image
    arguments: dict[str, Any] = attrs.field(factory=dict)

    def calls(self) -> dict[str, Call]:
        """Return the calls by column."""
        memory = TorchMemory()
        tensor, told = memory.from_host(self.image), {"dtype": self.image.dtype.name}
        found: dict[str, Call] = {
            "numpy": partial(_loaded(IN_NUMPY[self.operation].target), self.image, **self.arguments),
            "portable": partial(_loaded(OPERATIONS[self.operation].portable), tensor, **self.arguments, **told),
        }
        if self.operation in TARGETS:
            found["torch"] = partial(_loaded(TARGETS[self.operation]), tensor, **self.arguments, **told)
        return found


def _loaded(target: str) -> Callable[..., Any]:
    kernel: Callable[..., Any] = pkgutil.resolve_name(target)
    return kernel


def plane() -> Image:
    """Return a plane with the histogram of a stained well: dark, with a long tail."""
    return np.random.default_rng(0).gamma(2.0, 800.0, (SIDE, SIDE)).clip(0, TOP).astype(np.uint16)


def rows(image: Image) -> Iterator[Row]:
    """Yield what is measured."""
    profile = np.outer(*[1 - 0.4 * np.linspace(-1, 1, SIDE) ** 2] * 2).astype(np.float32)
    stack = np.stack([np.roll(image // (1 + shift % 3), 7 * shift) for shift in range(10)])
    floats = image.astype(np.float32) / np.float32(7)
    for name, given in (("", image), (", float32", floats)):
        yield Row(name=f"percentile_normalize{name}", operation="percentile_normalize", image=given)
        yield Row(name=f"rescale_intensity{name}", operation="rescale_intensity", image=given)
        yield Row(name=f"threshold_otsu{name}", operation="threshold_otsu", image=given)
    for dark in (0.0, 100.0):
        arguments = {"profile": profile, "dark": dark}
        yield Row(name=f"flat_field, dark {dark:g}", operation="flat_field", image=image, arguments=arguments)
    for sigma in (2, 10):
        told = {"sigma": sigma}
        yield Row(name=f"gaussian_blur, sigma {sigma}", operation="gaussian_blur", image=image, arguments=told)
    yield Row(name="unsharp_mask, radius 2", operation="unsharp_mask", image=image, arguments={"radius": 2})
    for radius in (10, 50):
        told = {"radius": radius}
        yield Row(name=f"white_tophat, radius {radius}", operation="white_tophat", image=image, arguments=told)
    yield Row(name="crop, 100 px all around", operation="crop", image=image, arguments=_inner(100))
    for factor in (2, 3):
        yield Row(name=f"bin, factor {factor}", operation="bin", image=image, arguments={"factor": factor})
    for kind in ("max", "mean"):
        yield Row(name=f"{kind}_projection, 10 planes", operation=f"{kind}_projection", image=stack)
    for depth in (9, 10):
        name = f"median_projection, {depth} planes"
        yield Row(name=name, operation="median_projection", image=stack[:depth])
    for measure in ("normalized_variance", "tenengrad", "laplacian", "brenner"):
        told = {"measure": measure}
        yield Row(name=f"best_focus, {measure}, 10", operation="best_focus_projection", image=stack, arguments=told)
    for weights in ((), (0.1, 0.2, 0.3, 0.4)):
        name = f"composite, 4 {'weighted ' if weights else ''}channels"
        yield Row(name=name, operation="composite", image=stack[:4], arguments={"weights": weights})


def _inner(border: int) -> dict[str, int]:
    side = SIDE - 2 * border
    return {"y": border, "x": border, "height": side, "width": side}


def conversions(image: Image) -> dict[str, Call]:
    """Return the ways to torch and back, by name."""
    memory = TorchMemory()
    held, floats = memory.from_host(image), image.astype(np.float32)
    return {
        "uint16 to torch, widened": lambda: memory.from_host(image),
        "uint16 to numpy, narrowed": lambda: memory.to_host(held, "uint16"),
        "float32 to torch, shared": lambda: memory.from_host(floats),
        "float32 to numpy, shared": lambda: memory.to_host(memory.from_host(floats), "float32"),
    }


def medians(measured: dict[str, Call]) -> dict[str, float]:
    """Return the CPU milliseconds of each call, the median of interleaved rounds.

    Each is called once right before it is measured: else it would pay for the memory that the one before gave back.
    """
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(ROUNDS):
        for name, call in measured.items():
            call()
            start = time.process_time()
            call()
            times[name].append((time.process_time() - start) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Measure and print."""
    # This process is the benchmark's own; the kernels never touch the number of threads.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    image = plane()
    words = sys.argv[1:]

    def wanted(name: str) -> bool:
        return not words or any(word in name for word in words)

    write = sys.stdout.write
    write(f"torch {torch.__version__}, numpy {np.__version__}, {SIDE} x {SIDE}, CPU ms, median of {ROUNDS}\n\n")
    write(f"| {'kernel':33} | torch's own | portable | hcs-numpy |\n| --- | --- | --- | --- |\n")
    with torch.no_grad():
        for row in filter(lambda row: wanted(row.name), rows(image)):
            taken = medians(row.calls())
            own = f"{taken['torch']:11.1f}" if "torch" in taken else " " * 11
            write(f"| {row.name:33} | {own} | {taken['portable']:8.1f} | {taken['numpy']:9.1f} |\n")
            sys.stdout.flush()
        write("\n| conversion | CPU ms |\n| --- | --- |\n")
        for name, milliseconds in medians(conversions(image)).items():
            write(f"| {name:33} | {milliseconds:6.2f} |\n")


if __name__ == "__main__":
    main()
