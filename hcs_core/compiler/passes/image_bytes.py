"""The bytes of images, and of what kernels, stitchers and writers hold beside them."""

from __future__ import annotations

import math

import numpy as np

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.step_plan import OutputPlan

SCRATCH_PLANES = 2
"""The planes that a kernel may hold beside its input and its output."""

WEIGHTS_BYTES = 8
"""What a stitcher may hold of each pixel of a mosaic beside it: a sum and a weight in float32."""


def block_bytes(image: ImagePlan, axes: str, sites: int = 1) -> int:
    """Return the bytes of what a kernel gets or gives at once, in a well with so many sites."""
    sizes = {**image.axis_sizes(sites), "y": image.shape[0], "x": image.shape[1]}
    return math.prod(sizes[axis] for axis in axes) * np.dtype(image.dtype).itemsize


def canvas_bytes(image: ImagePlan) -> int:
    """Return the bytes of a mosaic that is being made, and of what a stitcher may hold of its pixels beside it."""
    height, width = image.shape
    return block_bytes(image, "yx") + height * width * WEIGHTS_BYTES


def writing_bytes(output: OutputPlan) -> int:
    """Return what is held while a plane is written: it, its pyramid (a third), both once more as they are encoded.

    Where planes share a chunk, the store holds what is encoded (see `shared_chunk_bytes`).
    """
    plane = block_bytes(output.image, "yx")
    return plane * 7 // 3 if _planes_in_a_chunk(output) == 1 else plane * 4 // 3


def shared_chunk_bytes(output: OutputPlan) -> int:
    """Return what a store keeps until the last plane of a chunk has come: planes, pyramids, encoded bytes."""
    together = _planes_in_a_chunk(output)
    return 0 if together == 1 else together * block_bytes(output.image, "yx") * 7 // 3


def _planes_in_a_chunk(output: OutputPlan) -> int:
    layout = output.image_layout
    return math.prod(layout.chunk[:3]) if layout else 1
