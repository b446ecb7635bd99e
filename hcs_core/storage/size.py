"""How large a store becomes: what a plan says of disk and files before anything is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from hcs_core.storage.layout import StoreLayout


@attrs.frozen(kw_only=True)
class StoreSize:
    """What a store takes at most: bytes of pixels before compression, and files."""

    bytes: int
    files: int


SizeFunction = Callable[[StoreLayout, Mapping[str, Sequence[int]]], StoreSize]
"""Says what a store takes in which these wells, each with its sites, are written whole: `StorageBackendSpec.size`."""


def plain_size(layout: StoreLayout, wells: Mapping[str, Sequence[int]]) -> StoreSize:
    """Return the size of a store that keeps each plane in a file: what is counted where a backend says nothing."""
    planes = math.prod(layout.image.shape[:3]) * sum(map(len, wells.values()))
    pixels = math.prod(layout.image.shape[3:])
    return StoreSize(bytes=planes * pixels * np.dtype(layout.image.dtype).itemsize, files=planes)
