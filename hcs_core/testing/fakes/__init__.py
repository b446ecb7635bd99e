"""The fakes as a plugin: `manager.register(fakes)` brings the microscope, reader, backend and memory types `fake`."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core.plugins.hookspecs import hookimpl
from hcs_core.plugins.specs import MemoryTypeSpec, MicroscopeSpec, ReaderSpec, StorageBackendSpec

hcs_api = 1


@hookimpl
def hcs_microscopes() -> Iterable[MicroscopeSpec]:
    """Declare the microscope `fake`."""
    yield MicroscopeSpec(
        name="fake",
        target="hcs_core.testing.fakes.microscope:FakeMicroscope",
        markers=("fake_plate.txt",),
        summary="folders of tiny files, for tests",
    )


@hookimpl
def hcs_readers() -> Iterable[ReaderSpec]:
    """Declare the reader `fake`."""
    yield ReaderSpec(
        name="fake",
        target="hcs_core.testing.fakes.planes:FakeReader",
        summary="pixels computed from a file's name, for tests",
    )


@hookimpl
def hcs_storage_backends() -> Iterable[StorageBackendSpec]:
    """Declare the storage backend `fake`."""
    yield StorageBackendSpec(
        name="fake",
        target="hcs_core.testing.fakes.storage_backend:FakeBackend",
        suffix=".fake",
        summary="a numpy file for each plane, for tests",
    )


@hookimpl
def hcs_memory_types() -> Iterable[MemoryTypeSpec]:
    """Declare the memory types `fake` and, with devices, `fake_device`."""
    yield MemoryTypeSpec(
        name="fake",
        target="hcs_core.testing.fakes.memory_type:FakeMemoryType",
        library="hcs_core",
        summary="wrapped arrays, for tests",
    )
    yield MemoryTypeSpec(
        name="fake_device",
        target="hcs_core.testing.fakes.device_memory:FakeDeviceMemory",
        library="hcs_core",
        summary="arrays on devices that are made up, for tests",
    )
