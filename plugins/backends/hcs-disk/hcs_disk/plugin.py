"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterator

from hcs_core import ReaderSpec, StorageBackendSpec, WriterSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers() -> Iterator[ReaderSpec]:
    """Declare the reader of TIFF files."""
    yield ReaderSpec(
        name="tiff",
        target="hcs_disk.tiff:TiffReader",
        codecs="hcs_disk.codecs:codecs",
        summary="TIFF and BigTIFF, any byte order, strips or tiles, raw, LZW, Deflate and others",
    )


@hookimpl
def hcs_storage_backends() -> Iterator[StorageBackendSpec]:
    """Declare the storage backend `disk`."""
    yield StorageBackendSpec(
        name="disk",
        target="hcs_disk.backend:DiskBackend",
        size="hcs_disk.size:store_size",
        summary="OME-TIFF, one file for each plane, a folder for each well, as ImageJ and others open it",
    )


@hookimpl
def hcs_writers() -> Iterator[WriterSpec]:
    """Declare the writer of images."""
    yield WriterSpec(
        name="tiff",
        kind="image",
        target="hcs_disk.image_file:write",
        suffix=".tif",
        summary="An image in a TIFF file of its own, with pixel size and the channel's name",
    )
