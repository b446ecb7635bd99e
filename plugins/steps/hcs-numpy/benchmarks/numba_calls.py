# A script's neighbour, no part of a package.
# ruff: noqa: INP001
"""Loops that numba compiles for the kernels' operations, on one thread: a uint16 plane in, a uint16 plane out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
from library_calls import TOP, Image, gaussian, limits, table

Calls = dict[str, dict[str, Callable[[], Any]]]


def calls(image: Image, stack: Image, profile: Image) -> Calls:
    """Return numba's calls by the row of the table that they stand in, and by name."""
    found: Calls = {
        "percentile_normalize": {"~numba, histogram": lambda: looked_up(image, table(*limits(counted(image))))},
        "max_projection, 10 planes": {"numba": lambda: largest(stack)},
    }
    for dark in (0.0, 100.0):
        found[f"flat_field, dark {dark:g}"] = {
            "numba": partial(divided, image, profile, np.float32(dark)),
        }
    for sigma in (2, 10):
        found[f"gaussian_blur, sigma {sigma}"] = {"numba": partial(blurred, image, gaussian(sigma))}
    return found


@numba.njit
def counted(image: Image) -> Any:
    """Count the pixels by value."""
    counts = np.zeros(TOP + 1, np.int64)
    for row in image:
        for pixel in row:
            counts[pixel] += 1
    return counts


@numba.njit
def looked_up(image: Image, values: Image) -> Any:
    """Look every pixel up."""
    result = np.empty_like(image)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            result[y, x] = values[image[y, x]]
    return result


@numba.njit
def largest(stack: Image) -> Any:
    """Compare plane after plane, row by row."""
    result = stack[0].copy()
    for y in range(stack.shape[1]):
        for z in range(1, stack.shape[0]):
            for x in range(stack.shape[2]):
                result[y, x] = max(result[y, x], stack[z, y, x])
    return result


@numba.njit
def divided(image: Image, profile: Image, dark: Any) -> Any:
    """Divide by a profile in float32."""
    total = 0.0
    for row in profile:
        line = np.float32(0)
        for light in row:
            line += light
        total += line
    mean = np.float32(total / profile.size)
    result = np.empty_like(image)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = (np.float32(image[y, x]) - dark) / profile[y, x] * mean
            result[y, x] = np.uint16(np.rint(min(max(value, np.float32(0)), np.float32(TOP))))
    return result


@numba.njit(fastmath=True)
def blurred(image: Image, weights: Image) -> Any:
    """Add up weighted rows, then weighted columns, in float32."""
    height, width = image.shape
    reach = len(weights) // 2
    result = np.empty_like(image)
    line, across = np.empty(width + 2 * reach, np.float32), np.empty(width, np.float32)
    for y in range(height):
        line[:] = 0
        for k in range(-reach, reach + 1):
            source = abs(y + k)
            source = 2 * (height - 1) - source if source >= height else source
            for x in range(width):
                line[reach + x] += weights[reach + k] * image[source, x]
        for x in range(reach):
            line[x] = line[2 * reach - x]
            line[reach + width + x] = line[reach + width - 2 - x]
        across[:] = 0
        for k in range(2 * reach + 1):
            for x in range(width):
                across[x] += weights[k] * line[x + k]
        for x in range(width):
            result[y, x] = np.uint16(np.rint(across[x]))
    return result
