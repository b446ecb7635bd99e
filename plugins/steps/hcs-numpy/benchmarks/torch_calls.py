# A script's neighbour, no part of a package.
# ruff: noqa: INP001
"""What torch offers for the kernels' operations, on one thread: it holds uint16 in int32, from before to after."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from library_calls import TOP, Image, gaussian
from torch.nn import functional

Calls = dict[str, dict[str, Callable[[], Any]]]


def calls(image: Image, stack: Image, profile: Image) -> Calls:
    """Return torch's calls by the row of the table that they stand in, and by name."""
    torch.set_num_threads(1)
    held, light = torch.from_numpy(image.astype("int32")), torch.from_numpy(profile)
    planes = torch.from_numpy(stack.astype("int32"))
    found: Calls = {
        "percentile_normalize": {"~torch.bincount, take": lambda: by_bincount(held)},
        "white_tophat, radius 50": {"torch.minimum by doubling": lambda: tophat(held, 50)},
        "max_projection, 10 planes": {"torch.amax": lambda: torch.amax(planes, dim=0)},
        "mean_projection, 10 planes": {"torch.mean, float32": lambda: rounded(planes.to(torch.float32).mean(dim=0))},
        "median_projection, 9 planes": {"torch.median": lambda: planes[:9].median(dim=0).values},
    }
    for dark in (0.0, 100.0):
        found[f"flat_field, dark {dark:g}"] = {"torch's division": partial(divided, held, light, dark)}
    for sigma in (2, 10):
        found[f"gaussian_blur, sigma {sigma}"] = {"torch.conv2d": partial(blurred, held, sigma)}
    return found


def rounded(values: Any) -> Any:
    """Return floats as an image is held."""
    return values.round().clamp(0, TOP).to(torch.int32)


def by_bincount(image: Any) -> Any:
    """Count, look up; the percentiles are whole grey levels."""
    upto = torch.bincount(image.ravel(), minlength=TOP + 1).cumsum(0)
    low, high = torch.searchsorted(upto, upto[-1] * torch.tensor([0.01, 0.99]))
    table = rounded((torch.arange(TOP + 1) - low) * (TOP / (high - low)))
    return table[image]


def divided(image: Any, profile: Any, dark: float) -> Any:
    """Divide by a profile in float32."""
    pixels = image.to(torch.float32)
    if dark:
        pixels -= dark
    return rounded(pixels.div_(profile).mul_(profile.mean()))


def blurred(image: Any, sigma: float) -> Any:
    """Convolve rows and columns in float32."""
    weights = torch.from_numpy(gaussian(sigma))
    reach = len(weights) // 2
    pixels = functional.pad(image.to(torch.float32)[None, None], (reach,) * 4, mode="reflect")
    rows = torch.conv2d(pixels, weights[None, None, :, None])
    return rounded(torch.conv2d(rows, weights[None, None, None]))[0, 0]


def tophat(image: Any, radius: int) -> Any:
    """Take minima and maxima of twice as many pixels each time, along y and x."""
    opened = image
    for pick, beyond in ((torch.minimum, TOP), (torch.maximum, 0)):
        for dim, sides in ((0, (0, 0, radius, radius)), (1, (radius, radius))):
            opened = extremes(functional.pad(opened, sides, value=beyond), 2 * radius + 1, pick, dim)
    return image - opened


def extremes(lines: Any, wanted: int, pick: Callable[[Any, Any], Any], dim: int) -> Any:
    """Return the minimum or maximum of every `wanted` neighbours."""
    width, length = 1, lines.shape[dim] - wanted + 1
    while 2 * width <= wanted:
        rest = lines.shape[dim] - width
        lines = pick(lines.narrow(dim, 0, rest), lines.narrow(dim, width, rest))
        width *= 2
    return pick(lines.narrow(dim, 0, length), lines.narrow(dim, wanted - width, length))
