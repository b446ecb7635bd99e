# A script that stands alone, no part of a package.
# ruff: noqa: INP001
"""CPU time of each kernel on a 2160 x 2160 uint16 plane, one thread, beside the libraries' own calls.

Run it with `python benchmarks/kernels.py`. Runs are interleaved, and medians are taken, since a shared machine is
never quiet for long. The ratio is that of the kernel to the fastest call beside it. A call marked `~` does less than
the kernel: it is off by more than a grey level, or leaves its result in float32.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import attrs
import cv2
import numpy as np
import numpy.typing as npt

from hcs_numpy.channels import composite
from hcs_numpy.filters import gaussian_blur
from hcs_numpy.intensity import percentile_normalize
from hcs_numpy.morphology import white_tophat
from hcs_numpy.projections import max_projection

Image = npt.NDArray[Any]
SIDE = 2160
ROUNDS = 5
TOP = 65535


@attrs.frozen(kw_only=True)
class Row:
    """A kernel, and what else computes the same; the call by name."""

    name: str
    kernel: Callable[[], Image]
    others: dict[str, Callable[[], Image]]


def plane(seed: int = 0) -> Image:
    """Return a plane with the histogram of a stained well: dark, with a long tail."""
    grey = np.random.default_rng(seed).gamma(2.0, 800.0, (SIDE, SIDE))
    return grey.clip(0, TOP).astype(np.uint16)


def by_percentile(image: Image) -> Image:
    """Sort, then scale in float32."""
    low, high = np.percentile(image, [1, 99])
    scaled = (image.astype(np.float32) - np.float32(low)) * np.float32(TOP / (high - low))
    return np.rint(scaled.clip(0, TOP)).astype(np.uint16)


def by_bincount(image: Image) -> Image:
    """Count with numpy, look up with numpy."""
    return np.take(table(np.bincount(image.ravel(), minlength=TOP + 1)), image)


def by_calchist(image: Image) -> Image:
    """Count with OpenCV, look up with OpenCV; the percentiles are whole grey levels."""
    return cv2.LUT(image, table(cv2.calcHist([image], [0], None, [TOP + 1], [0, TOP + 1]).ravel()))


def table(counts: npt.NDArray[Any]) -> Image:
    """Return the look-up table between the grey levels of the percentiles 1 and 99."""
    upto = np.cumsum(counts, dtype=np.float64)
    low, high = np.searchsorted(upto, upto[-1] * np.array([0.01, 0.99]))
    return np.rint(((np.arange(TOP + 1) - low) / (high - low) * TOP).clip(0, TOP)).astype(np.uint16)


def blur(image: Image, sigma: float) -> Image:
    """Blur with OpenCV as far as the kernel does."""
    side = 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(image, (side, side), sigma)


def tophat(image: Image, radius: int) -> Image:
    """Take the top-hat with OpenCV."""
    return cv2.morphologyEx(image, cv2.MORPH_TOPHAT, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))


def largest(stack: Image) -> Image:
    """Compare plane after plane with OpenCV."""
    result = stack[0].copy()
    for image in stack[1:]:
        cv2.max(result, image, dst=result)
    return result


def accumulated(stack: Image) -> Image:
    """Add plane after plane with OpenCV."""
    total = np.zeros(stack.shape[1:], np.float32)
    for image in stack:
        cv2.accumulate(image, total)
    return np.rint(total / np.float32(len(stack))).astype(np.uint16)


def averaged(stack: Image, weights: tuple[float, ...]) -> Image:
    """Take the weighted mean with numpy, in float64."""
    return np.rint(np.average(stack, axis=0, weights=weights)).astype(np.uint16)


def averaged_in_float32(stack: Image, weights: tuple[float, ...]) -> Image:
    """Take the weighted mean with numpy, in float32."""
    total = np.zeros(stack.shape[1:], np.float32)
    for image, weight in zip(stack, weights, strict=True):
        total += image * np.float32(weight)
    return np.rint(total / np.float32(sum(weights))).astype(np.uint16)


def rounded(image: Image) -> Image:
    """Round a float plane, as the others have to."""
    return np.rint(image).astype(np.uint16)


def rows() -> list[Row]:
    """Return what is measured."""
    image = plane()
    stack = np.stack([np.roll(image, 7 * shift) for shift in range(10)])
    channels, weights = stack[:4], (0.1, 0.2, 0.3, 0.4)
    found = [
        Row(
            name="percentile_normalize",
            kernel=lambda: percentile_normalize(image),
            others={
                "np.percentile, scale": lambda: by_percentile(image),
                "np.bincount, np.take": lambda: by_bincount(image),
                "~cv2.calcHist, cv2.LUT": lambda: by_calchist(image),
            },
        )
    ]
    found += [
        Row(
            name=f"gaussian_blur, sigma {sigma}",
            kernel=lambda sigma=sigma: gaussian_blur(image, sigma=sigma),
            others={
                "~cv2.GaussianBlur, uint16": lambda sigma=sigma: blur(image, sigma),
                "~cv2.GaussianBlur, to float32": lambda sigma=sigma: blur(image.astype(np.float32), sigma),
                "cv2.GaussianBlur, and rounded": lambda sigma=sigma: rounded(blur(image.astype(np.float32), sigma)),
            },
        )
        for sigma in (2, 10)
    ]
    found += [
        Row(
            name=f"white_tophat, radius {radius}",
            kernel=lambda radius=radius: white_tophat(image, radius=radius),
            others={"cv2.morphologyEx": lambda radius=radius: tophat(image, radius)},
        )
        for radius in (10, 50)
    ]
    return [
        *found,
        Row(
            name="max_projection, 10 planes",
            kernel=lambda: max_projection(stack),
            others={"np.max": lambda: np.max(stack, axis=0), "cv2.max": lambda: largest(stack)},
        ),
        Row(
            name="composite, 4 channels",
            kernel=lambda: composite(channels),
            others={
                "np.mean, float32": lambda: rounded(np.mean(channels, axis=0, dtype=np.float32)),
                "cv2.accumulate, float32": lambda: accumulated(channels),
            },
        ),
        Row(
            name="composite, 4 weighted channels",
            kernel=lambda: composite(channels, weights=weights),
            others={
                "np.average": lambda: averaged(channels, weights),
                "np.multiply, float32": lambda: averaged_in_float32(channels, weights),
            },
        ),
    ]


def medians(calls: dict[str, Callable[[], Image]]) -> dict[str, float]:
    """Return the CPU milliseconds of each call: one unmeasured round, then the median of the interleaved rest."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            start = time.process_time()
            call()
            if turn:
                times[name].append((time.process_time() - start) * 1000)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Measure and print."""
    # This process is the benchmark's own; the kernels never touch the number of threads.
    cv2.setNumThreads(1)
    write = sys.stdout.write
    write(f"numpy {np.__version__}, OpenCV {cv2.__version__}, {SIDE} x {SIDE} uint16, CPU ms, median of {ROUNDS}\n\n")
    write(f"| {'kernel':31} | {'ms':>6} | {'beside it':30} | {'ms':>6} | ratio |\n| --- | --- | --- | --- | --- |\n")
    for row in rows():
        taken = medians({"": row.kernel, **row.others})
        own = taken.pop("")
        best = min(taken, key=lambda name: taken[name])
        for name, milliseconds in sorted(taken.items(), key=lambda item: item[1]):
            label, number = (row.name, f"{own:6.1f}") if name == best else ("", " " * 6)
            write(f"| {label:31} | {number} | {name:30} | {milliseconds:6.1f} | {own / milliseconds:5.2f} |\n")


if __name__ == "__main__":
    main()
