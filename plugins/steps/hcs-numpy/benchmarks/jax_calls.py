# A script's neighbour, no part of a package.
# ruff: noqa: INP001
"""What jax offers for the kernels' operations, compiled, with arrays that are jax's from before to after."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from library_calls import TOP, Image, gaussian

Calls = dict[str, dict[str, Callable[[], Any]]]


def calls(image: Image, stack: Image, profile: Image) -> Calls:
    """Return jax's calls by the row of the table that they stand in, and by name."""
    plane, planes, light = jnp.asarray(image), jnp.asarray(stack), jnp.asarray(profile)
    found: Calls = {
        "percentile_normalize": {"~jax.jit, histogram": done(by_histogram, plane)},
        "white_tophat, radius 50": {"jax.jit, reduce_window": done(partial(tophat, radius=50), plane)},
        "max_projection, 10 planes": {"jax.jit, max": done(lambda pixels: pixels.max(axis=0), planes)},
        "mean_projection, 10 planes": {
            "jax.jit, mean": done(lambda pixels: rounded(pixels.mean(axis=0, dtype=jnp.float32)), planes)
        },
    }
    for dark in (0.0, 100.0):
        call = done(partial(divided, dark=dark), plane, light)
        found[f"flat_field, dark {dark:g}"] = {"jax.jit, division": call}
    for sigma in (2, 10):
        found[f"gaussian_blur, sigma {sigma}"] = {"jax.jit, shifted": done(partial(blurred, sigma=sigma), plane)}
    return found


def done(function: Callable[..., Any], *arrays: Any) -> Callable[[], Any]:
    """Return a call of a compiled function that ends when its result is there."""
    compiled = jax.jit(function)
    return lambda: compiled(*arrays).block_until_ready()


def rounded(values: Any) -> Any:
    """Return floats as pixels."""
    return jnp.clip(jnp.round(values), 0, TOP).astype(jnp.uint16)


def by_histogram(image: Any) -> Any:
    """Count, look up; the percentiles are whole grey levels."""
    upto = jnp.cumsum(jnp.bincount(image.ravel(), length=TOP + 1))
    low, high = jnp.searchsorted(upto, upto[-1] * jnp.array([0.01, 0.99]))
    return rounded((jnp.arange(TOP + 1) - low) * (TOP / (high - low)))[image]


def divided(image: Any, profile: Any, dark: float) -> Any:
    """Divide by a profile in float32."""
    return rounded((image.astype(jnp.float32) - dark) / profile * profile.mean())


def blurred(image: Any, sigma: float) -> Any:
    """Add shifted rows and columns in float32."""
    weights = gaussian(sigma)
    reach = len(weights) // 2
    pixels = jnp.pad(image.astype(jnp.float32), reach, mode="reflect")
    for axis in (0, 1):
        length = pixels.shape[axis] - 2 * reach
        shifted = (lax.slice_in_dim(pixels, start, start + length, axis=axis) for start in range(2 * reach + 1))
        pixels = sum(weight * part for weight, part in zip(weights, shifted, strict=True))
    return rounded(pixels)


def tophat(image: Any, radius: int) -> Any:
    """Take minima and maxima of windows, along y and x."""
    opened = image
    for start, pick in ((TOP, lax.min), (0, lax.max)):
        for sides in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
            opened = lax.reduce_window(opened, jnp.uint16(start), pick, sides, (1, 1), "SAME")
    return image - opened
