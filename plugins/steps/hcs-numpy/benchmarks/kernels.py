# A script that stands alone, no part of a package.
# ruff: noqa: INP001
"""CPU time of each kernel on a 2160 x 2160 uint16 plane, one thread, beside the libraries' own calls.

Run it with `python benchmarks/kernels.py`, or with words that the kernels to measure have in their names. Runs are
interleaved, and medians are taken, since a shared machine is never quiet for long. The ratio is that of the kernel to
each call beside it, the fastest first. A call marked `~` does less than the kernel: it is off by a grey level or
more, rounds halves otherwise, or leaves its result in float32. Beside OpenCV and numpy stand torch, jax and numba
where they are installed; their arrays are their own from before to after, so that no conversion counts.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import attrs
import cv2
import library_calls as calls
import numpy as np
import skimage
from library_calls import TOP, Image, rounded

from hcs_numpy.channels import composite
from hcs_numpy.filters import gaussian_blur, unsharp_mask
from hcs_numpy.focus import best_focus_projection
from hcs_numpy.frames import bin_pixels
from hcs_numpy.illumination import flat_field
from hcs_numpy.intensity import percentile_normalize, rescale_intensity
from hcs_numpy.morphology import white_tophat
from hcs_numpy.projections import mean_projection, median_projection
from hcs_numpy.thresholds import threshold_otsu
from hcs_operations.portable.frames import crop
from hcs_operations.portable.projections import max_projection

SIDE = 2160
ROUNDS = 9
LIBRARIES = ("torch", "jax", "numba")
"""Those that are timed where they are installed; their calls stand in `<library>_calls.py`."""


@attrs.frozen(kw_only=True)
class Row:
    """A kernel, and what else computes the same; the call by name."""

    name: str
    kernel: Callable[[], object]
    others: dict[str, Callable[[], object]]


def plane(seed: int = 0) -> Image:
    """Return a plane with the histogram of a stained well: dark, with a long tail."""
    grey = np.random.default_rng(seed).gamma(2.0, 800.0, (SIDE, SIDE))
    return grey.clip(0, TOP).astype(np.uint16)


def light() -> Image:
    """Return an illumination profile."""
    return np.outer(*[1 - 0.4 * np.linspace(-1, 1, SIDE) ** 2] * 2).astype(np.float32)


def of_intensity(image: Image) -> Iterator[Row]:
    """Yield what works on the intensity scale."""
    profile = light()
    yield Row(
        name="percentile_normalize",
        kernel=lambda: percentile_normalize(image),
        others={
            "np.percentile, scale": lambda: calls.by_percentile(image),
            "np.bincount, np.take": lambda: calls.by_bincount(image),
            "~cv2.calcHist, cv2.LUT": lambda: calls.by_calchist(image),
        },
    )
    yield Row(
        name="rescale_intensity",
        kernel=lambda: rescale_intensity(image),
        others={
            "~cv2.normalize": lambda: cv2.normalize(image, None, 0, TOP, cv2.NORM_MINMAX),
            "cv2.minMaxLoc, cv2.LUT": lambda: calls.by_table(image),
            "numpy, float64": lambda: calls.scaled(image),
            "~skimage.rescale_intensity": lambda: skimage.exposure.rescale_intensity(image),
        },
    )
    for dark in (0.0, 100.0):
        yield Row(
            name=f"flat_field, dark {dark:g}",
            kernel=partial(flat_field, image, profile=profile, dark=dark),
            others={
                "cv2.mean, cv2.divide": partial(calls.divided, image, profile, dark),
                "numpy, float32": partial(calls.divided_by_numpy, image, profile, dark),
            },
        )
    yield Row(
        name="threshold_otsu",
        kernel=lambda: threshold_otsu(image),
        others={
            "cv2.threshold, to uint8": lambda: calls.otsu(image),
            "skimage.threshold_otsu, >": lambda: image > skimage.filters.threshold_otsu(image),
        },
    )


def of_neighbours(image: Image) -> Iterator[Row]:
    """Yield filters and morphology."""
    for sigma in (2, 10):
        yield Row(
            name=f"gaussian_blur, sigma {sigma}",
            kernel=partial(gaussian_blur, image, sigma=sigma),
            others={
                "~cv2.GaussianBlur, uint16": partial(calls.blur, image, sigma),
                "~cv2.GaussianBlur, to float32": lambda sigma=sigma: calls.blur(image.astype(np.float32), sigma),
                "cv2.GaussianBlur, and rounded": lambda sigma=sigma: rounded(
                    calls.blur(image.astype(np.float32), sigma)
                ),
            },
        )
    for radius in (1, 5):
        yield Row(
            name=f"unsharp_mask, radius {radius}",
            kernel=partial(unsharp_mask, image, radius=radius),
            others={
                "~cv2.addWeighted, uint16": partial(calls.sharpened_as_integers, image, radius),
                "cv2.addWeighted, float32": partial(calls.sharpened, image, radius),
                "~skimage.unsharp_mask": partial(skimage.filters.unsharp_mask, image, radius, preserve_range=True),
            },
        )
    for radius in (10, 50):
        yield Row(
            name=f"white_tophat, radius {radius}",
            kernel=partial(white_tophat, image, radius=radius),
            others={"cv2.morphologyEx": partial(calls.tophat, image, radius)},
        )


def of_frames(image: Image) -> Iterator[Row]:
    """Yield what changes the frame."""
    side = SIDE - 200
    yield Row(
        name="crop, 100 px all around",
        kernel=lambda: crop(image, y=100, x=100, height=side, width=side),
        others={"numpy's slice, copied": image[100:-100, 100:-100].copy},
    )
    for factor in (2, 3, 4):
        yield Row(
            name=f"bin, factor {factor}",
            kernel=partial(bin_pixels, image, factor=factor),
            others={
                "~cv2.resize, uint16": partial(calls.shrunk, image, factor),
                "cv2.resize, and rounded": lambda factor=factor: rounded(
                    calls.shrunk(image.astype(np.float32), factor)
                ),
                "numpy's slices, added": partial(calls.added, image, factor),
                "skimage.downscale_local_mean": lambda factor=factor: rounded(
                    skimage.transform.downscale_local_mean(image, factor)
                ),
            },
        )


def of_stacks(stack: Image) -> Iterator[Row]:
    """Yield projections and what joins channels."""
    channels, weights = stack[:4], (0.1, 0.2, 0.3, 0.4)
    yield Row(
        name="max_projection, 10 planes",
        kernel=lambda: max_projection(stack),
        others={"np.max": lambda: np.max(stack, axis=0), "cv2.max": lambda: calls.largest(stack)},
    )
    yield Row(
        name="mean_projection, 10 planes",
        kernel=lambda: mean_projection(stack),
        others={
            "np.mean, float32": lambda: rounded(np.mean(stack, axis=0, dtype=np.float32)),
            "cv2.accumulate, float32": lambda: calls.accumulated(stack),
        },
    )
    for depth in (9, 10):
        yield Row(
            name=f"median_projection, {depth} planes",
            kernel=partial(median_projection, stack[:depth]),
            others={
                "np.median": lambda depth=depth: rounded(np.median(stack[:depth], axis=0)),
                "np.partition" if depth % 2 else "~np.partition": partial(calls.middle, stack[:depth]),
            },
        )
    for measure, name, call in (
        ("normalized_variance", "cv2.meanStdDev", calls.most_varied),
        ("tenengrad", "cv2.Sobel, cv2.norm", calls.steepest),
        ("laplacian", "cv2.Laplacian, cv2.norm", calls.most_curved),
        ("brenner", "cv2.norm of differences", calls.most_different),
    ):
        yield Row(
            name=f"best_focus, {measure}, 10",
            kernel=partial(best_focus_projection, stack, measure=measure),
            others={name: partial(call, stack)},
        )
    yield Row(
        name="composite, 4 channels",
        kernel=lambda: composite(channels),
        others={
            "np.mean, float32": lambda: rounded(np.mean(channels, axis=0, dtype=np.float32)),
            "cv2.accumulate, float32": lambda: calls.accumulated(channels),
        },
    )
    yield Row(
        name="composite, 4 weighted channels",
        kernel=lambda: composite(channels, weights=weights),
        others={
            "np.average": lambda: calls.averaged(channels, weights),
            "np.multiply, float32": lambda: calls.averaged_in_float32(channels, weights),
        },
    )


def elsewhere(image: Image, stack: Image) -> dict[str, dict[str, Callable[[], object]]]:
    """Return what the libraries that are installed beside offer, by row and name."""
    found: dict[str, dict[str, Callable[[], object]]] = {}
    for library in LIBRARIES:
        if find_spec(library) is not None:
            for row, others in import_module(f"{library}_calls").calls(image, stack, light()).items():
                found.setdefault(row, {}).update(others)
    return found


def medians(measured: dict[str, Callable[[], object]]) -> dict[str, float]:
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


def lines(row: Row) -> Iterator[str]:
    """Measure a kernel and yield the lines of the table."""
    taken = medians({"": row.kernel, **row.others})
    own = taken.pop("")
    ordered = sorted(taken.items(), key=lambda item: item[1])
    for index, (name, milliseconds) in enumerate(ordered):
        label, number = ("", " " * 6) if index else (row.name, f"{own:6.1f}")
        yield f"| {label:35} | {number} | {name:30} | {milliseconds:6.1f} | {own / milliseconds:5.2f} |\n"


def main() -> None:
    """Measure and print."""
    # This process is the benchmark's own; the kernels never touch the number of threads.
    cv2.setNumThreads(1)
    image = plane()
    stack = np.stack([np.roll(image, 7 * shift) for shift in range(10)])
    every = [*of_intensity(image), *of_neighbours(image), *of_frames(image), *of_stacks(stack)]
    found = elsewhere(image, stack)
    every = [attrs.evolve(row, others=row.others | found.get(row.name, {})) for row in every]
    wanted = [row for row in every if not sys.argv[1:] or any(word in row.name for word in sys.argv[1:])]
    write = sys.stdout.write
    write(f"numpy {np.__version__}, OpenCV {cv2.__version__}, {SIDE} x {SIDE} uint16, CPU ms, median of {ROUNDS}\n\n")
    write(f"| {'kernel':35} | {'ms':>6} | {'beside it':30} | {'ms':>6} | ratio |\n| --- | --- | --- | --- | --- |\n")
    for row in wanted:
        sys.stdout.writelines(lines(row))


if __name__ == "__main__":
    main()
