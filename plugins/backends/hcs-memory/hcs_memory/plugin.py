"""What this distribution declares to hcs_core."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core import StorageBackendSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_storage_backends() -> Iterable[StorageBackendSpec]:
    """Declare the storage backend `memory`."""
    yield StorageBackendSpec(
        name="memory",
        target="hcs_memory.backend:MemoryBackend",
        durable=False,
        summary="Arrays kept in this process's memory until they are dropped",
    )
