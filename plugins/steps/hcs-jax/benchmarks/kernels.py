# A script that stands alone, no part of a package.
# ruff: noqa: INP001, T201
"""CPU time of each kernel in jax on planes of 2160 x 2160 uint16, cold and warm, beside that of hcs-numpy.

Run it on one core, with `NPROC=1 taskset -c 0 python benchmarks/kernels.py`, or with words that the kernels to
measure have in their names. Cold is the first call for a shape, which compiles; warm is the median of the later ones.
Stacks have ten planes, composites four channels.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import jax
import numpy as np

from hcs_core.testing.contracts.targets import imported
from hcs_jax.memory import JaxMemory
from hcs_jax.plugin import TARGETS
from hcs_numpy.plugin import hcs_kernels as numpys_kernels

IN_NUMPY = {spec.operation: spec for spec in numpys_kernels()}
SIDE = 2160
ROUNDS = 7
GIVEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("percentile_normalize", {}),
    ("rescale_intensity", {}),
    ("flat_field", {"dark": 100.0}),
    ("gaussian_blur", {"sigma": 2.0}),
    ("gaussian_blur", {"sigma": 10.0}),
    ("unsharp_mask", {"radius": 5.0}),
    ("white_tophat", {"radius": 10}),
    ("white_tophat", {"radius": 50}),
    ("threshold_otsu", {}),
    ("crop", {"y": 100, "x": 100, "height": 1960, "width": 1960}),
    ("bin", {}),
    ("max_projection", {}),
    ("mean_projection", {}),
    ("median_projection", {}),
    ("best_focus_projection", {}),
    ("best_focus_projection", {"measure": "tenengrad"}),
    ("composite", {}),
)


def plane(seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Return a plane with the histogram of a stained well: dark, with a long tail."""
    return np.random.default_rng(seed).gamma(2.0, 800.0, (SIDE, SIDE)).clip(0, 65535).astype(np.uint16)


def taken(call: Callable[[], Any]) -> float:
    """Return the CPU time of one call, in ms."""
    start = time.process_time()
    jax.block_until_ready(call())
    return (time.process_time() - start) * 1e3


def warm(call: Callable[[], Any]) -> float:
    """Return the median of several calls."""
    return statistics.median(taken(call) for _ in range(ROUNDS))


def row(name: str, given: dict[str, Any], image: np.ndarray[Any, Any]) -> str:
    """Return a row of the table."""
    memory = JaxMemory()
    if name == "flat_field":
        given = given | {"profile": np.outer(*[1 - 0.4 * np.linspace(-1, 1, SIDE) ** 2] * 2).astype(np.float32)}
    held, kernel, reference = memory.from_host(image), imported(TARGETS[name]), imported(IN_NUMPY[name].target)
    cold = taken(lambda: kernel(held, dtype="uint16", **given))
    later = warm(lambda: kernel(held, dtype="uint16", **given))
    shown = ", ".join(f"{key}={value:g}" for key, value in given.items() if isinstance(value, int | float))
    shown = shown or str(given.get("measure", ""))
    return f"| `{name}` | {shown} | {cold:.0f} | {later:.1f} | {warm(lambda: reference(image, **given)):.1f} |"


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    image = plane()
    stack = np.stack([image, image[::-1], image[:, ::-1]] * 3 + [image])
    print("| kernel | parameters | cold | warm | numpy |")
    print("| --- | --- | --- | --- | --- |")
    for name, given in GIVEN:
        if len(sys.argv) == 1 or any(word in name for word in sys.argv[1:]):
            pictures = stack if "projection" in name else stack[:4] if name == "composite" else image
            print(row(name, given, pictures), flush=True)


if __name__ == "__main__":
    main()
