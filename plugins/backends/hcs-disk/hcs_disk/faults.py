"""What is wrong with a layout or a finished well, said before anything of it is made."""

from __future__ import annotations

import re
from math import isfinite

from hcs_core import FinishedWell, ImageLayout, StorageError, StoreLayout, refuse_unwritable
from hcs_disk.ome import PIXEL_TYPES

CODECS = ("none", "gzip", "lz4", "zstd")
_HIGHEST_LEVEL = 9
_SMALLEST = 1e-5
"""Of pixel sizes in um, steps in um and s: less has no place in TIFF's pixels per centimetre."""

_COLOUR = re.compile("[0-9A-Fa-f]{6}")


def refuse_faulty(layout: StoreLayout) -> None:
    """Refuse a layout that contradicts itself, or asks for what OME-TIFF cannot hold.

    Raises
    ------
    StorageError
        With the store, what was found and what to write instead.
    """
    packing = layout.compression
    if packing.codec not in CODECS:
        raise StorageError(
            f"the compression {packing.codec!r} of {layout.name} is not known: write one of {', '.join(CODECS)}."
        )
    if not 0 <= packing.level <= _HIGHEST_LEVEL:
        raise StorageError(
            f"the compression level {packing.level} of {layout.name} is none of Deflate: write 0 to {_HIGHEST_LEVEL}."
        )
    for image in (layout.image, layout.mosaic):
        if image is not None:
            _refuse_faulty_image(layout, image)


def _refuse_faulty_image(layout: StoreLayout, image: ImageLayout) -> None:
    if image.dtype not in PIXEL_TYPES:
        raise StorageError(
            f"the dtype {image.dtype!r} of {layout.name} cannot be stored as OME-TIFF: write one of "
            f"{', '.join(PIXEL_TYPES)}, or keep the results in another backend."
        )
    if len(image.channels) != image.shape[1]:
        raise StorageError(
            f"the layout of {layout.name} names {len(image.channels)} channels, and its shape has {image.shape[1]} "
            "along c: name each."
        )
    for channel in image.channels:
        if not _COLOUR.fullmatch(channel.colour):
            raise StorageError(
                f"the colour {channel.colour!r} of channel {channel.name!r} of {layout.name} is none: write RRGGBB, "
                "such as 00FF00."
            )
    for what, value in (
        ("pixel size", image.pixel_size_um),
        ("z step", image.z_step_um),
        ("time step", image.time_step_s),
    ):
        if value is not None and not (isfinite(value) and value >= _SMALLEST):
            raise StorageError(
                f"the {what} of {layout.name} is {value}: write what it is, above 0, or leave it out where it is not "
                "known."
            )


def refuse_unlisted(layout: StoreLayout, finished: FinishedWell) -> None:
    """Refuse a well that has nothing to list, and what no store can say of one.

    Raises
    ------
    StorageError
        With the well and what was found.
    """
    if not finished.sites and finished.mosaic is None:
        raise StorageError(f"well {finished.well} of {layout.name} has no site to list: discard it.")
    refuse_unwritable(layout, finished)
