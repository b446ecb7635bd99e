"""How many bytes and files a plate takes at most: chunks or shards, and the documents of every group and array.

Light on purpose: a plan is made without zarr.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from hcs_core import ImageLayout, StoreLayout, StoreSize, images_of, parse_well


def store_size(
    layout: StoreLayout, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, tuple[int, int]]
) -> StoreSize:
    """Return the bytes of all chunks before compression, pyramids too, and the number of files.

    Parameters
    ----------
    layout
        The store's.
    wells
        Each well with its sites, all written whole.
    mosaics
        (y, x) of the mosaics of wells that have one.
    """
    size, files = 0, _plate_files(layout, wells)
    for count, image in images_of(layout, wells, mosaics):
        size += count * _image_bytes(image)
        files += count * _image_files(layout, image)
    return StoreSize(bytes=size, files=files)


def _image_bytes(image: ImageLayout) -> int:
    pixels = sum(math.prod(level) for level in image.level_shapes)
    return math.prod(image.shape[:3]) * pixels * np.dtype(image.dtype).itemsize


def _plate_files(layout: StoreLayout, wells: Mapping[str, Sequence[int]]) -> int:
    """Return the documents of a store beside those of its images: of the plate, of each row and of each well."""
    rows = len({parse_well(well)[0] for well in wells})
    return rows + (1 + len(wells)) * (_documents(layout) if layout.plate_metadata else 1)


def _documents(layout: StoreLayout) -> int:
    """Return the documents of a group with attributes: zarr format 2 keeps these in one of their own."""
    return 2 if layout.ome_zarr_version == "0.4" else 1


def _image_files(layout: StoreLayout, image: ImageLayout) -> int:
    """Return the files of an image: its chunks or shards, and the documents of each level and the group."""
    files = _documents(layout) + len(image.level_shapes)
    for level in image.level_shapes:
        shape = (*image.shape[:3], *level)
        files += math.prod(
            -(-side // min(each, side)) for side, each in zip(shape, image.shard or image.chunk, strict=True)
        )
    return files
