"""The standard names that users write; any registered name is accepted as a plain string beside them."""

from __future__ import annotations

from enum import StrEnum


class Microscope(StrEnum):
    """The microscopes; `AUTO` asks the folder."""

    AUTO = "auto"
    IMAGEXPRESS = "imagexpress"


class Backend(StrEnum):
    """The storage backends that hold what steps pass on."""

    MEMORY = "memory"
    DISK = "disk"
    ZARR = "zarr"


class MaterializationBackend(StrEnum):
    """The storage backends that hold what is kept."""

    DISK = "disk"
    ZARR = "zarr"


class ZarrCompressor(StrEnum):
    """How chunks are packed; lz4 and zstd are blosc's."""

    NONE = "none"
    LZ4 = "lz4"
    ZSTD = "zstd"
    GZIP = "gzip"


class ZarrChunkStrategy(StrEnum):
    """How large a chunk is: a plane, an image and timepoint, or a fixed tile that divides the plane."""

    PLANE = "plane"
    SINGLE = "single"
    TILED = "tiled"


class ZarrShards(StrEnum):
    """Which chunks share a file: none, or those of an image's level and timepoint."""

    NONE = "none"
    IMAGE = "image"


class OmeZarrVersion(StrEnum):
    """The versions of OME-Zarr that can be written: 0.4 lies on zarr format 2, 0.5 on zarr format 3."""

    V0_4 = "0.4"
    V0_5 = "0.5"


AXIS_OF = {"site": "s", "timepoint": "t", "channel": "c", "z_index": "z"}
"""The components that a kernel can stack, and the axis along which each lies."""

COMPONENTS = ("channel", "well", "site", "z_index", "timepoint")
"""What the keys of a step's dict can name."""


class MissingData(StrEnum):
    """What happens where a plane that the layout expects is absent or cannot be read."""

    ERROR = "error"
    SKIP_SITE = "skip-site"
    SKIP_WELL = "skip-well"
    FILL = "fill"
