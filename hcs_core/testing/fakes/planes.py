"""Planes without pixels on disk: a tiny file says shape and dtype, the pixels are computed from its name."""

from __future__ import annotations

import math
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.errors import ReadError
from hcs_core.plate.reader import Header, Region

_CONTENT = re.compile(r"fake ([1-9][0-9]*) ([1-9][0-9]*) (uint8|uint16|float32) ([1-9][0-9]*)\n")
_CYCLE = {"uint8": 251, "uint16": 65521, "float32": 65521}
"""The largest prime that a dtype holds: values come again after so many pixels, never with a row's length."""


def fake_pixels(
    name: str, selector: int = 0, *, shape: tuple[int, int] = (24, 32), dtype: str = "uint16"
) -> npt.NDArray[Any]:
    """Return the (y, x) pixels of a fake plane: a ramp that begins where the file's name and the selector say.

    Examples
    --------
    >>> from hcs_core.testing import fake_pixels
    >>> fake_pixels("A01_s1_c1_z1_t1.fake").shape
    (24, 32)
    >>> bool((fake_pixels("a") == fake_pixels("b")).all())
    False
    """
    start = zlib.crc32(f"{name}/{selector}".encode())
    ramp = (np.arange(math.prod(shape), dtype=np.uint64) * 7 + start) % _CYCLE[dtype]
    pixels: npt.NDArray[Any] = ramp.reshape(shape).astype(dtype)
    return pixels


def write_fake_plane(
    path: Path, *, shape: tuple[int, int] = (24, 32), dtype: str = "uint16", planes: int = 1
) -> None:
    """Write the tiny file of some planes: what `FakeReader` reads from it is `fake_pixels(path.name, ...)`.

    With any other content the file is a damaged one, which is how a test tells the reader to fail.
    """
    path.write_text(f"fake {shape[0]} {shape[1]} {dtype} {planes}\n", encoding="ascii")


class FakeReader:
    """The reader `fake`: reads what `write_fake_plane` writes; the text of a header is the file's name."""

    def header(self, location: str, selector: int) -> Header:
        """Return shape and dtype of a plane, and its file's name.

        Raises
        ------
        ReadError
            The file is not there or holds anything else, or there is no such plane in it.
        """
        try:
            content = Path(location).read_bytes().decode("ascii", "replace")
        except OSError as error:
            raise ReadError(f"{location} cannot be read: {error.strerror}.") from error
        match = _CONTENT.fullmatch(content)
        if match is None:
            raise ReadError(f"{location} is no fake plane: write it with write_fake_plane.")
        height, width, dtype, planes = match.groups()
        if not 0 <= selector < int(planes):
            raise ReadError(f"{location} has no plane {selector}: it has {planes}, counted from 0.")
        return Header(shape=(int(height), int(width)), dtype=dtype, text=Path(location).name)

    def read(self, location: str, selector: int, region: Region | None = None) -> npt.NDArray[Any]:
        """Return the pixels of a plane, or of a region of it.

        Raises
        ------
        ReadError
            As for `header`.
        """
        header = self.header(location, selector)
        pixels = fake_pixels(header.text, selector, shape=header.shape, dtype=header.dtype)
        return pixels if region is None else pixels[region].copy()
