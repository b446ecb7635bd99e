"""Where things lie in a store, and what they are called."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from hcs_core import MOSAIC, PlaneAddress, StorageError

INDEX = "index.json"
"""The document that lists the finished wells."""

UNFINISHED = ".unfinished"
"""The folder of the wells that are being written: below it, so that no pattern such as `*/*.tif` finds them."""

SITES = "sites.json"
"""In the folder of an unfinished well: the sites that were declared."""

PARTIAL = ".partial"
"""Ends the name of a file that is being written."""

_PLANE = re.compile(r"[A-Z]{1,2}\d{2,}_(?:s(\d+)|stitched)_w(\d+)_z(\d+)_t(\d+)\.ome\.tif")


def plane_name(well: str, address: PlaneAddress) -> str:
    """Return the file name of a plane: site, and channel, z and t of the store's image, all counted from 1.

    Padded with zeros, so that names sort as numbers do; a mosaic is `stitched` in place of a site.

    Examples
    --------
    >>> plane_name("B02", PlaneAddress(site=3, t=0, c=1, z=11))
    'B02_s003_w02_z012_t001.ome.tif'
    """
    field = "stitched" if address.site == MOSAIC else f"s{address.site:03d}"
    return f"{well}_{field}_w{address.c + 1:02d}_z{address.z + 1:03d}_t{address.t + 1:03d}.ome.tif"


def plane_address(name: str) -> PlaneAddress | None:
    """Return what a plane's file name says, `None` where it is none."""
    match = _PLANE.fullmatch(name)
    if match is None:
        return None
    site, channel, z, t = (int(number or MOSAIC) for number in match.groups())
    return PlaneAddress(site=site, t=t - 1, c=channel - 1, z=z - 1)


@contextlib.contextmanager
def storing(path: Path | str) -> Iterator[None]:
    """Turn an error of the operating system into a StorageError that names the path and what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise StorageError(
            f"{where} cannot be written ({error.strerror or error}): see to space and permissions there, or choose "
            "another output folder."
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, whole, at any moment.

    Raises
    ------
    StorageError
        The operating system refuses.
    """
    # One name for all attempts: what a killed program leaves is overwritten by the next.
    partial = path.with_name(path.name + PARTIAL)
    with storing(path):
        partial.write_bytes(content)
        os.replace(partial, path)  # noqa: PTH105  the twin of the line above; Path.replace returns a value
