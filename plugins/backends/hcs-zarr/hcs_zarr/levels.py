"""The arrays of an image: one for each level of its pyramid, by shape, chunk and shard."""

from __future__ import annotations

from math import prod

import attrs

from hcs_core import Compression, ImageLayout, StoreLayout
from hcs_zarr.formats import FORMATS, StoreFormat

Shape = tuple[int, int, int, int, int]
"""(t, c, z, y, x)."""


@attrs.frozen(kw_only=True)
class LevelArray:
    """One level's array.

    Attributes
    ----------
    shape, chunk
        (t, c, z, y, x) of the array and of a chunk.
    shard
        (t, c, z, y, x) of the chunks that share a file, whole chunks in every direction; `None` without shards.
    dtype
        The numpy name of the dtype.
    compression
        How chunks are packed.
    format
        The format of the store.
    """

    shape: Shape
    chunk: Shape
    shard: Shape | None
    dtype: str
    compression: Compression
    format: StoreFormat

    @property
    def chunks_per_shard(self) -> Shape:
        """The number of chunks of a shard along (t, c, z, y, x); of what is no shard, 1 each."""
        t, c, z, y, x = (whole // part for whole, part in zip(self.shard or self.chunk, self.chunk, strict=True))
        return t, c, z, y, x

    def chunks_within(self, shard: Shape) -> int:
        """Return how many chunks of the shard at a place lie within the array: at its end, not all do."""
        counts = (-(-whole // part) for whole, part in zip(self.shape, self.chunk, strict=True))
        per_shard = self.chunks_per_shard
        return prod(min(count - at * per, per) for count, at, per in zip(counts, shard, per_shard, strict=True))


def level_array(layout: StoreLayout, image: ImageLayout, level: int) -> LevelArray:
    """Return the array of a level of an image: its chunks and shards are the image's, and at most the whole array."""
    t, c, z, _, _ = image.shape
    shape = (t, c, z, *image.level_shapes[level])
    chunk = _at_most(image.chunk, shape)
    shard = None
    if image.shard is not None:
        t, c, z, y, x = (
            -(-most // part) * part for most, part in zip(_at_most(image.shard, shape), chunk, strict=True)
        )
        shard = t, c, z, y, x
    return LevelArray(
        shape=shape,
        chunk=chunk,
        shard=shard,
        dtype=image.dtype,
        compression=layout.compression,
        format=FORMATS[layout.ome_zarr_version],
    )


def level_arrays(layout: StoreLayout, image: ImageLayout) -> tuple[LevelArray, ...]:
    """Return the arrays of all levels of an image of a store, the full one first."""
    return tuple(level_array(layout, image, level) for level in range(len(image.level_shapes)))


def _at_most(wanted: Shape, shape: Shape) -> Shape:
    t, c, z, y, x = (min(pair) for pair in zip(wanted, shape, strict=True))
    return t, c, z, y, x
