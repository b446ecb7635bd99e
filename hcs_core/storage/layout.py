"""How a store of images is laid out: what is declared before any worker starts."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

MOSAIC = 0
"""The site of a `PlaneAddress` that is no site, but the mosaic of a well: sites count from 1."""


@attrs.frozen(kw_only=True)
class ChannelLayout:
    """A channel of an image: its name and its colour as `RRGGBB`."""

    name: str
    colour: str = "FFFFFF"


@attrs.frozen(kw_only=True)
class ImageLayout:
    """The layout that the images of all sites share, or the mosaics of all wells.

    Attributes
    ----------
    shape
        (t, c, z, y, x). Mosaics differ in y and x from well to well: their common layout has 0 there, and `sized`
        gives that of one well.
    dtype
        The numpy name of the dtype.
    channels
        One for each index along c.
    pixel_size_um, z_step_um, time_step_s
        The spacings; `None` where unknown.
    level_shapes
        (y, x) of each level of the pyramid, the full one first. Of the common layout of mosaics, (0, 0) for each
        level that they have; none at all: as many as their sizes ask for.
    chunk
        (t, c, z, y, x) of a chunk of the full level; those of the others are at most as large.
    shard
        (t, c, z, y, x) of the full level whose chunks share a file, whole chunks in every direction; `None` where
        each chunk is a file. Those of the other levels are at most as large.
    """

    shape: tuple[int, int, int, int, int]
    dtype: str
    channels: tuple[ChannelLayout, ...]
    pixel_size_um: float | None = None
    z_step_um: float | None = None
    time_step_s: float | None = None
    level_shapes: tuple[tuple[int, int], ...]
    chunk: tuple[int, int, int, int, int]
    shard: tuple[int, int, int, int, int] | None = None

    def sized(self, frame: tuple[int, int]) -> ImageLayout:
        """Return the layout of a mosaic of (y, x) pixels; a shard holds all chunks of a timepoint."""
        shard = self.shard
        if shard is not None:
            y, x = (-(-side // part) * part for side, part in zip(frame, self.chunk[3:], strict=True))
            shard = (*shard[:3], y, x)
        levels = level_shapes(frame)
        if self.level_shapes:
            levels = levels[: len(self.level_shapes)]
        return attrs.evolve(self, shape=(*self.shape[:3], *frame), level_shapes=levels, shard=shard)


@attrs.frozen(kw_only=True)
class Compression:
    """How chunks are packed: `codec` is `none`, `lz4`, `zstd` (both blosc's) or `gzip`."""

    codec: str = "zstd"
    level: int = 1
    shuffle: bool = True


@attrs.frozen(kw_only=True)
class StoreLayout:
    """A store of a plate's images.

    Attributes
    ----------
    name
        The store's folder, such as `images.zarr`.
    plate_name, plate_format
        The plate's name, and its rows and columns.
    image, mosaic
        The layout of every site's image, and that of every well's mosaic (see `ImageLayout.sized`); `None` where the
        store holds none. One of them is there.
    compression
        How chunks are packed.
    field_count
        The largest number of images in a well: its sites, and the mosaic.
    image_metadata, plate_metadata
        Whether OME metadata of images, and of wells and plate, are written.
    ome_zarr_version
        The version of OME-Zarr, for a backend that writes it: `0.4` or `0.5`.
    """

    name: str
    plate_name: str
    # Of the wells that there are so far, where nothing else says it: a plate that grows stays the same store.
    plate_format: tuple[int, int] = attrs.field(repr=False)
    image: ImageLayout | None
    mosaic: ImageLayout | None = None
    compression: Compression
    # Of the selected wells: the store is the same one, whichever these are.
    field_count: int = attrs.field(repr=False)
    image_metadata: bool = True
    plate_metadata: bool = True
    ome_zarr_version: str = "0.5"

    def __attrs_post_init__(self) -> None:
        """Refuse a store of nothing."""
        if self.image is None and self.mosaic is None:
            raise ValueError(f"{self.name} would hold neither images nor mosaics: give a layout of one of them")

    def layout_of(self, site: int, mosaic: tuple[int, int] | None = None) -> ImageLayout | None:
        """Return the layout of a site's image, or (`MOSAIC`) of a mosaic of (y, x); `None` if there is none."""
        if site != MOSAIC:
            return self.image
        return None if self.mosaic is None or mosaic is None else self.mosaic.sized(mosaic)


@attrs.frozen(kw_only=True)
class PlaneAddress:
    """Where a plane lies within a well's images: the 1-based site, and 0-based indices along t, c and z.

    Site `MOSAIC` is the well's mosaic.
    """

    site: int
    t: int
    c: int
    z: int


@attrs.frozen(kw_only=True)
class WellSummary:
    """What a worker knows of a well's images once they are written.

    `windows` has (low, high) grey values for display for each channel of the sites' images, `mosaic_windows` for each
    of the mosaic; `bytes_written` counts what was stored.
    """

    windows: tuple[tuple[float, float], ...] = ()
    mosaic_windows: tuple[tuple[float, float], ...] = ()
    bytes_written: int = 0


@attrs.frozen(kw_only=True)
class FinishedWell:
    """A well whose images are whole, for the metadata that makes them visible.

    `sites` are its sites in order, `translations` the (y, x) in um of the first pixel's centre from the well's
    centre, for those sites whose position is known. `mosaic` is the (y, x) of its mosaic, `None` where there is none,
    and `mosaic_translation` where its first pixel lies, in the same way.
    """

    well: str
    sites: tuple[int, ...]
    translations: Mapping[int, tuple[float, float]] = attrs.field(factory=dict)
    mosaic: tuple[int, int] | None = None
    mosaic_translation: tuple[float, float] | None = None
    summary: WellSummary = attrs.field(factory=WellSummary)


def level_shapes(shape: tuple[int, int], smallest: int = 384) -> tuple[tuple[int, int], ...]:
    """Return the (y, x) of a pyramid's levels, halved (rounded up) while a side is longer than `smallest`.

    384 ends the pyramids of the usual cameras at 256 or 270 pixels: a smaller level would cost as many files as any
    other, and a screen shows the last one whole.

    Examples
    --------
    >>> level_shapes((2160, 2160))
    ((2160, 2160), (1080, 1080), (540, 540), (270, 270))
    """
    shapes = [shape]
    while max(shapes[-1]) > smallest:
        y, x = shapes[-1]
        shapes.append((-(-y // 2), -(-x // 2)))
    return tuple(shapes)
