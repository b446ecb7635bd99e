"""Chunks as bytes, and back, by numcodecs: zarr's codecs rest on it, and a test compares the bytes with zarr's."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import numcodecs  # type: ignore[import-untyped]  # it publishes no types
import numpy as np
import numpy.typing as npt
from numcodecs.blosc import Blosc  # type: ignore[import-untyped]  # as above

from hcs_core import Compression
from hcs_zarr.documents import BLOSC

DAMAGED = (OSError, ValueError, RuntimeError, EOFError, zlib.error)
"""What unpacking raises for bytes that are damaged."""

BLOSC_HEADER = 16
"""The bytes of the header of what blosc packed; its last 4 hold the packed length, those before the unpacked one
(https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst).
"""


@attrs.frozen(kw_only=True)
class Packer:
    """Packs and unpacks the chunks of an array by the codec and settings that its document names.

    `pack` takes a C-contiguous, little-endian array; `unpack` is given bytes, and the number of those expected.
    """

    pack: Callable[[npt.NDArray[Any]], Any]
    unpack: Callable[[bytes], Any]
    is_blosc: bool

    def array(self, content: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return a chunk's pixels, read-only and little-endian.

        Raises
        ------
        ValueError and others of `DAMAGED`
            The bytes are damaged, or are not those of such a chunk.
        """
        little = dtype.newbyteorder("<")
        expected = int(np.prod(shape)) * little.itemsize
        if self.is_blosc and not is_whole_blosc(content[:BLOSC_HEADER], len(content), expected):
            raise ValueError("a chunk is not as long as its header says")
        return np.frombuffer(self.unpack(content), little).reshape(shape)


def packer(compression: Compression) -> Packer:
    """Return what packs and unpacks chunks."""
    if compression.codec == "none":
        return Packer(pack=lambda chunk: chunk.data, unpack=lambda content: content, is_blosc=False)
    if compression.codec == "gzip":
        codec = numcodecs.GZip(level=compression.level)
        return Packer(pack=partial(_pack_gzip, codec), unpack=codec.decode, is_blosc=False)
    shuffle = Blosc.SHUFFLE if compression.shuffle else Blosc.NOSHUFFLE
    blosc = Blosc(cname=compression.codec, clevel=compression.level, shuffle=shuffle)
    return Packer(pack=blosc.encode, unpack=blosc.decode, is_blosc=compression.codec in BLOSC)


def is_whole_blosc(header: bytes, length: int, unpacked: int | None = None) -> bool:
    """Whether what blosc packed is as long as its header says, and unpacks to as many bytes as expected.

    blosc itself does not ask how long its input is: it reads on, into memory that is not the chunk's.
    """
    if len(header) < BLOSC_HEADER or int.from_bytes(header[12:16], "little") != length:
        return False
    return unpacked is None or int.from_bytes(header[4:8], "little") == unpacked


def _pack_gzip(codec: numcodecs.GZip, chunk: npt.NDArray[Any]) -> bytes:
    """Pack by gzip without the time of packing, so that the same pixels are always the same bytes.

    A time of 0 says that there is none (RFC 1952, section 2.3.1).
    """
    packed: bytes = codec.encode(chunk)
    return packed[:4] + bytes(4) + packed[8:]
