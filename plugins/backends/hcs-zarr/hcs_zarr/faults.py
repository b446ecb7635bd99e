"""What is wrong with a layout, said before anything of it is made."""

from __future__ import annotations

from math import prod

import numpy as np

from hcs_core import ImageLayout, StorageError, StoreLayout
from hcs_zarr.documents import BLOSC, CODECS
from hcs_zarr.formats import FORMATS, OME_ZARR_0_4

LARGEST_BLOSC_CHUNK = 2**31 - 17
"""In bytes: what blosc can pack at once."""


def refuse_faulty(layout: StoreLayout) -> None:
    """Refuse a layout that contradicts itself, or asks for what zarr cannot hold.

    Raises
    ------
    StorageError
        With the store, what was found and what to write instead.
    """
    codec = layout.compression.codec
    if codec not in CODECS:
        raise StorageError(
            f"the compression {codec!r} of {layout.name} is not known: write one of {', '.join(CODECS)}."
        )
    if layout.ome_zarr_version not in FORMATS:
        raise StorageError(
            f"the OME-Zarr version {layout.ome_zarr_version!r} of {layout.name} is not written here: write one of "
            f"{', '.join(FORMATS)}."
        )
    if layout.image is not None:
        _refuse_faulty_image(layout, layout.image)
        _refuse_other_levels(layout.name, layout.image)
    if layout.mosaic is not None:
        # Its levels follow from its size, which each well has its own of.
        _refuse_faulty_image(layout, layout.mosaic)


def _refuse_faulty_image(layout: StoreLayout, image: ImageLayout) -> None:
    codec = layout.compression.codec
    itemsize = _itemsize(layout.name, image.dtype)
    if len(image.channels) != image.shape[1]:
        raise StorageError(
            f"the layout of {layout.name} names {len(image.channels)} channels, and its shape has {image.shape[1]} "
            "along c: name each."
        )
    if len(image.chunk) != len(image.shape) or min(image.chunk) < 1:
        raise StorageError(f"the chunk {image.chunk} of {layout.name} must have t, c, z, y and x of at least 1.")
    # Of a mosaic, rows and columns are not known yet.
    chunk_bytes = prod(min(most, size) if size else most for most, size in zip(image.chunk, image.shape, strict=True))
    chunk_bytes *= itemsize
    if codec in BLOSC and chunk_bytes > LARGEST_BLOSC_CHUNK:
        raise StorageError(
            f"a chunk of {layout.name} has {chunk_bytes} bytes; {codec} packs at most {LARGEST_BLOSC_CHUNK}: choose "
            "smaller chunks."
        )
    _refuse_shards(layout, image)


def _itemsize(store: str, name: str) -> int:
    try:
        dtype = np.dtype(name)
    except TypeError as error:
        raise StorageError(
            f"the dtype {name!r} of {store} is not known to numpy: write a name such as uint16."
        ) from error
    if dtype.name != name or dtype.kind not in "biuf":
        raise StorageError(
            f"the dtype {name!r} of {store} cannot be stored: write the name of a real one, as uint16."
        )
    return dtype.itemsize


def _refuse_shards(layout: StoreLayout, image: ImageLayout) -> None:
    shard, chunk = image.shard, image.chunk
    if shard is None:
        return
    if layout.ome_zarr_version == OME_ZARR_0_4.version:
        raise StorageError(f"{layout.name} cannot have shards: OME-Zarr 0.4 has none; write 0.5, or no shards.")
    if len(shard) != len(chunk) or any(
        whole < part or whole % part for whole, part in zip(shard, chunk, strict=True)
    ):
        raise StorageError(f"the shard {shard} of {layout.name} is not made of whole chunks of {chunk}: choose one.")


def _refuse_other_levels(store: str, image: ImageLayout) -> None:
    expected = image.shape[3:]
    if not image.level_shapes:
        raise StorageError(f"the layout of {store} has no level: name at least the full one, {expected}.")
    for level, shape in enumerate(image.level_shapes):
        if shape != expected:
            before = "half of the level before" if level else "the image"
            raise StorageError(f"level {level} of the layout of {store} is {shape}; {before} is {expected}.")
        expected = (-(-expected[0] // 2), -(-expected[1] // 2))
