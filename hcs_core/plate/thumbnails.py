"""Thumbnails of a plate: one plane of each well and channel, made smaller by averaging."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import ReadError
from hcs_core.plate.inventory import Plate
from hcs_core.plate.plane_table import Plane, PlaneKind, PlaneState
from hcs_core.plate.reader import Readers
from hcs_core.plate.wells import parse_well
from hcs_core.plugins.registry import Registry
from hcs_core.plugins.specs import ReaderSpec

WellChannel = tuple[str, int]
"""A well's name and a channel's number."""

_ALL_PIXELS = 2_400_000
_LARGEST_SIDE = 192
_SMALLEST_SIDE = 16
_THREADS = 4
"""Planes on a network come late, not slowly: while one is waited for, another is averaged."""


@attrs.frozen(kw_only=True, eq=False)
class Thumbnail:
    """A plane made smaller.

    Attributes
    ----------
    site, z_index, timepoint
        Which plane it is; a projection has `z_index` 0.
    shape
        Rows and columns of the plane.
    block
        Each pixel is the mean of `block` x `block` pixels of the plane, of those that are left at its lower and right
        edges.
    pixels
        (y, x), of the plane's dtype where that is an integer of at most 32 bits, else float32.
    """

    site: int
    z_index: int
    timepoint: int
    shape: tuple[int, int]
    block: int
    pixels: npt.NDArray[Any]


@attrs.frozen(kw_only=True)
class Thumbnails:
    """What reading gave: the thumbnails, and why planes could not be read, by their rows in the inventory."""

    images: Mapping[WellChannel, Thumbnail]
    faults: Mapping[int, str]


def thumbnail_side(plate: Plate) -> int:
    """Return how many pixels the longer side of a thumbnail may have, 16 to 192.

    All thumbnails together have some 2.4 million pixels, in the rectangle of rows and columns that have wells: from
    a few wells to 1,536 a picture of them is of one size.
    """
    places = [parse_well(well) for well in plate.wells]
    rows, columns = (len({place[axis] for place in places}) for axis in (0, 1))
    count = max(1, rows * columns * len(plate.channels))
    return max(_SMALLEST_SIDE, min(_LARGEST_SIDE, int((_ALL_PIXELS / count) ** 0.5)))


def read_thumbnails(plate: Plate, registry: Registry[ReaderSpec], side: int) -> Thumbnails:
    """Read one plane of each well and channel, whole, and make it smaller.

    It is of the first timepoint and the first site that have one: the projection, else the plane nearest to the
    middle of the plate's z_indexes. Where it cannot be read, the next site's is tried.

    Parameters
    ----------
    plate
        The plate; nothing is written into it.
    registry
        The readers; each thread makes its own.
    side
        How many pixels the longer side of a thumbnail may have.
    """
    groups = list(_candidates(plate))
    own = threading.local()

    def start() -> None:
        own.readers = Readers(registry)

    def look(group: list[int]) -> tuple[Thumbnail | None, dict[int, str]]:
        return _first_readable(plate, own.readers, group, side)

    images: dict[WellChannel, Thumbnail] = {}
    faults: dict[int, str] = {}
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="hcs-thumbnails", initializer=start) as pool:
        for group, (thumbnail, unread) in zip(groups, pool.map(look, groups), strict=True):
            plane = plate.planes.plane(group[0])
            faults |= unread
            if thumbnail is not None:
                images[plane.well, plane.channel] = thumbnail
    return Thumbnails(images=images, faults=faults)


def _candidates(plate: Plate) -> Iterator[list[int]]:
    """Yield, for each well and channel with a present plane, the rows to try: one of each site."""
    planes = plate.planes
    middle = plate.z_indexes[(len(plate.z_indexes) - 1) // 2] if plate.z_indexes else 0
    # Of two planes as far from the middle the lower comes first; projections come before all.
    far = 2 * np.abs(planes.z_index - middle) + (planes.z_index > middle) + 1
    far[planes.kind == PlaneKind.PROJECTION] = 0
    columns = (planes.well, planes.channel, planes.timepoint, planes.site, far)
    rows = np.flatnonzero(planes.state == PlaneState.PRESENT)
    rows = rows[np.lexsort([column[rows] for column in columns][::-1])]
    if not rows.size:
        return

    def begins(*wanted: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        changes = np.logical_or.reduce([np.diff(column[rows]) != 0 for column in wanted])
        return np.concatenate(([True], changes))

    group = np.cumsum(begins(planes.well, planes.channel))
    stage = np.cumsum(begins(planes.well, planes.channel, planes.timepoint))
    _, first = np.unique(group, return_index=True)
    chosen = begins(planes.well, planes.channel, planes.timepoint, planes.site) & (stage == stage[first][group - 1])
    for part in np.split(rows[chosen], np.flatnonzero(np.diff(group[chosen])) + 1):
        yield part.tolist()


def _first_readable(
    plate: Plate, readers: Readers, rows: list[int], side: int
) -> tuple[Thumbnail | None, dict[int, str]]:
    faults: dict[int, str] = {}
    for row in rows:
        plane = plate.planes.plane(row)
        try:
            pixels = readers[plane.reader].read(str(plate.root / plane.uri), plane.selector)
        except ReadError as error:
            faults[row] = str(error)
        else:
            return _thumbnail(plane, pixels, side), faults
    return None, faults


def _thumbnail(plane: Plane, pixels: npt.NDArray[Any], side: int) -> Thumbnail:
    height, width = pixels.shape
    block = -(-max(height, width) // side)
    return Thumbnail(
        site=plane.site,
        z_index=plane.z_index,
        timepoint=plane.timepoint,
        shape=(height, width),
        block=block,
        pixels=block_means(pixels, block),
    )


def block_means(pixels: npt.NDArray[Any], block: int) -> npt.NDArray[Any]:
    """Return the means of the blocks of an image; no pixel is left out.

    Parameters
    ----------
    pixels
        (y, x), any real dtype.
    block
        Rows and columns of a block; those at the lower and right edges have what is left.

    Returns
    -------
    numpy.ndarray
        (ceil(y / block), ceil(x / block)). Means of integers of at most 32 bits are rounded to the nearest of that
        dtype, halves up; those of any other dtype are float32.
    """
    height, width = pixels.shape
    tops, lefts = np.arange(0, height, block), np.arange(0, width, block)
    whole = np.issubdtype(pixels.dtype, np.integer) and pixels.dtype.itemsize <= 4  # noqa: PLR2004 -- bytes
    total = np.int64 if whole else np.float64
    # Strips of rows are summed by whole rows, and in 32 bits where those suffice: four times as fast as in 64.
    strip = np.uint32 if pixels.dtype in (np.uint8, np.uint16) and block < 2**16 else total
    strips = np.stack([pixels[top : top + block].sum(axis=0, dtype=strip) for top in tops])
    sums = np.add.reduceat(strips, lefts, axis=1, dtype=total)
    counts = np.minimum(block, height - tops)[:, np.newaxis] * np.minimum(block, width - lefts)
    if whole:
        rounded: npt.NDArray[Any] = ((2 * sums + counts) // (2 * counts)).astype(pixels.dtype)
        return rounded
    means: npt.NDArray[np.float32] = (sums / counts).astype(np.float32)
    return means
