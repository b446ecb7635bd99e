"""How large a store becomes: what a plan says of disk and files before anything is written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np

from hcs_core.storage.layout import MOSAIC, ImageLayout, StoreLayout


@attrs.frozen(kw_only=True)
class StoreSize:
    """What a store takes at most: bytes of pixels before compression, and files."""

    bytes: int
    files: int


Frame = tuple[int, int]
"""(y, x) of a mosaic."""

SizeFunction = Callable[[StoreLayout, Mapping[str, Sequence[int]], Mapping[str, Frame]], StoreSize]
"""Says what a store takes in which these wells, each with its sites, and these mosaics of wells are written whole:
`StorageBackendSpec.size`."""


def images_of(
    layout: StoreLayout, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, Frame]
) -> Iterator[tuple[int, ImageLayout]]:
    """Yield how many images of each layout a store holds: those of sites, and mosaics by their shapes."""
    if layout.image is not None:
        yield sum(map(len, wells.values())), layout.image
    for frame, count in Counter(mosaics.values()).items():
        image = layout.layout_of(MOSAIC, frame)
        if image is not None:
            yield count, image


def plain_size(layout: StoreLayout, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, Frame]) -> StoreSize:
    """Return the size of a store that keeps each plane in a file: what is counted where a backend says nothing."""
    size = planes = 0
    for count, image in images_of(layout, wells, mosaics):
        planes += count * math.prod(image.shape[:3])
        size += count * math.prod(image.shape) * np.dtype(image.dtype).itemsize
    return StoreSize(bytes=size, files=planes)
