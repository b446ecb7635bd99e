"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import ReaderSpec, StorageBackendSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_storage_backends() -> Iterable[StorageBackendSpec]:
    """Declare the storage backend `zarr`."""
    yield StorageBackendSpec(
        name="zarr",
        target="hcs_zarr.backend:ZarrBackend",
        codecs="hcs_zarr.codecs:codecs",
        suffix=".zarr",
        size="hcs_zarr.size:store_size",
        summary="OME-Zarr plates, version 0.5 on zarr format 3 or 0.4 on format 2, with pyramids",
    )


@hookimpl
def hcs_readers() -> Iterable[ReaderSpec]:
    """Declare the reader of zarr arrays."""
    yield ReaderSpec(
        name="zarr",
        target="hcs_zarr.reader:ZarrReader",
        summary="zarr arrays of format 2 and 3, with any chunks, shards and codecs that zarr reads",
    )
