"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import StorageBackendSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_storage_backends() -> Iterable[StorageBackendSpec]:
    """Declare the storage backend `zarr`."""
    yield StorageBackendSpec(
        name="zarr",
        target="hcs_zarr.backend:ZarrBackend",
        suffix=".zarr",
        summary="OME-Zarr plates, version 0.5 on zarr format 3, with pyramids",
    )
