"""The images that a kernel has to take, and the shapes that it returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.plugins.signature import Signature

DEPTH = 3
"""The planes along each axis of a stack."""

SHAPES = ((17, 23), (1, 1), (1, 8), (8, 1), (64, 33))
"""Rows and columns: odd, a single pixel, a single row, a single column."""

CONTENTS = ("random", "lowest", "highest", "halves")

_BRIGHTEST_FLOAT = 1e4
"""Far above what a camera gives, and far from where squares of float16 and float32 overflow or lose their digits."""


def image(signature: Signature, dtype: str, shape: tuple[int, int] = SHAPES[0], content: str = "random") -> Any:
    """Return an image with a signature's axes, `DEPTH` planes along each axis of its stack."""
    return filled((*(DEPTH for _ in signature.axes[:-2]), *shape), dtype, content)


def filled(shape: tuple[int, ...], dtype: str, content: str, seed: int = 7) -> npt.NDArray[Any]:
    """Return an array of any shape: noise, the lowest or the highest value, or both in halves."""
    low, high = _limits(dtype)
    generator = np.random.default_rng(seed)
    if content == "random":
        noise: npt.NDArray[Any] = (low + generator.random(shape) * (high - low)).astype(dtype)
        return noise
    pixels = np.full(shape, high if content == "highest" else low).astype(dtype)
    if content == "halves":
        pixels[..., shape[-2] // 2 :, :] = np.array(high).astype(dtype)
    return pixels


def _limits(dtype: str) -> tuple[float, float]:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return 0, 1
    if kind == "f":
        return 0, _BRIGHTEST_FLOAT
    limits = np.iinfo(dtype)
    # Numbers of 64 bits are no floats: of them, those that are.
    return float(limits.min), float(min(limits.max, 2**53))


def images(signature: Signature, dtype: str, shapes: Sequence[tuple[int, int]] = SHAPES) -> Iterator[tuple[str, Any]]:
    """Yield images of every shape and content, each with what it is in words."""
    for shape in shapes:
        for content in CONTENTS:
            yield f"{content} {dtype} {shape[0]} x {shape[1]}", image(signature, dtype, shape, content)


def out_shape(signature: Signature, shape: tuple[int, ...], values: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the shape that a signature means for an image's, or `None` where the frame leaves nothing of it."""
    sizes = dict(zip(signature.axes, shape, strict=True))
    if signature.frame is not None:
        try:
            changed = signature.frame.change((sizes["y"], sizes["x"]), values)
        except ValueError:
            return None
        sizes["y"], sizes["x"] = changed.shape
    return tuple(sizes[axis] for axis in signature.out)
