"""For tests, of the core and of every plugin: contracts, fakes, builders, and a fixture.

Each name is imported on first use. The contracts and the fixture need pytest; the fakes do not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcs_core.plugins.tolerance import (
        Tolerance as Tolerance,
    )
    from hcs_core.testing.contracts.compiler_pass import (
        PassContract as PassContract,
    )
    from hcs_core.testing.contracts.converter import (
        ConverterContract as ConverterContract,
    )
    from hcs_core.testing.contracts.kernel import (
        KernelContract as KernelContract,
    )
    from hcs_core.testing.contracts.memory_type import (
        MemoryTypeContract as MemoryTypeContract,
    )
    from hcs_core.testing.contracts.microscope import (
        MicroscopeContract as MicroscopeContract,
    )
    from hcs_core.testing.contracts.plugin import (
        PluginContract as PluginContract,
    )
    from hcs_core.testing.contracts.reader import (
        ReaderContract as ReaderContract,
    )
    from hcs_core.testing.contracts.reader_files import (
        WrittenPlane as WrittenPlane,
    )
    from hcs_core.testing.contracts.stitcher import (
        StitcherContract as StitcherContract,
    )
    from hcs_core.testing.contracts.storage_backend import (
        StorageBackendContract as StorageBackendContract,
    )
    from hcs_core.testing.fakes.device_array import (
        FakeDeviceArray as FakeDeviceArray,
        FakeDeviceError as FakeDeviceError,
        FakeFailure as FakeFailure,
        FakeOutOfMemoryError as FakeOutOfMemoryError,
    )
    from hcs_core.testing.fakes.device_memory import (
        FakeDeviceMemory as FakeDeviceMemory,
    )
    from hcs_core.testing.fakes.memory_type import (
        FakeArray as FakeArray,
        FakeMemoryType as FakeMemoryType,
    )
    from hcs_core.testing.fakes.microscope import (
        FakeMicroscope as FakeMicroscope,
        write_fake_plate as write_fake_plate,
    )
    from hcs_core.testing.fakes.planes import (
        FakeReader as FakeReader,
        fake_pixels as fake_pixels,
        write_fake_plane as write_fake_plane,
    )
    from hcs_core.testing.fakes.storage_backend import (
        FakeBackend as FakeBackend,
    )
    from hcs_core.testing.libraries import (
        require_library as require_library,
    )
    from hcs_core.testing.manager import (
        hcs_manager as hcs_manager,
    )
    from hcs_core.testing.plates import (
        make_plate as make_plate,
    )

__all__ = [
    "ConverterContract",
    "FakeArray",
    "FakeBackend",
    "FakeDeviceArray",
    "FakeDeviceError",
    "FakeDeviceMemory",
    "FakeFailure",
    "FakeMemoryType",
    "FakeMicroscope",
    "FakeOutOfMemoryError",
    "FakeReader",
    "KernelContract",
    "MemoryTypeContract",
    "MicroscopeContract",
    "PassContract",
    "PluginContract",
    "ReaderContract",
    "StitcherContract",
    "StorageBackendContract",
    "Tolerance",
    "WrittenPlane",
    "fake_pixels",
    "fakes",
    "hcs_manager",
    "make_plate",
    "require_library",
    "write_fake_plane",
    "write_fake_plate",
]

_NAMES = {
    "contracts.compiler_pass": "PassContract",
    "contracts.converter": "ConverterContract",
    "contracts.kernel": "KernelContract",
    "contracts.memory_type": "MemoryTypeContract",
    "contracts.microscope": "MicroscopeContract",
    "contracts.plugin": "PluginContract",
    "contracts.reader": "ReaderContract",
    "contracts.reader_files": "WrittenPlane",
    "contracts.stitcher": "StitcherContract",
    "contracts.storage_backend": "StorageBackendContract",
    "fakes.device_array": "FakeDeviceArray FakeDeviceError FakeFailure FakeOutOfMemoryError",
    "fakes.device_memory": "FakeDeviceMemory",
    "fakes.memory_type": "FakeArray FakeMemoryType",
    "fakes.microscope": "FakeMicroscope write_fake_plate",
    "fakes.planes": "FakeReader fake_pixels write_fake_plane",
    "fakes.storage_backend": "FakeBackend",
    "libraries": "require_library",
    "manager": "hcs_manager",
    "plates": "make_plate",
}
"""The public names by the module that they live in; `fakes` is a module itself."""

_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names.split()}
_HOMES["Tolerance"] = "hcs_core.plugins.tolerance"


def __getattr__(name: str) -> Any:
    """Import a public name on first use.

    Raises
    ------
    ModuleNotFoundError
        A contract or the fixture was asked for, and pytest is not installed.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        message = f"{__name__}.{name} is for tests with pytest, which is not installed: pip install pytest."
        raise ModuleNotFoundError(message, name="pytest") from error


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
