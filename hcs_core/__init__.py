"""Process high-content-screening plates: any microscope in, a standard OME-Zarr plate out, through plugins.

Everything that a user needs comes from here; each name is imported on first use, so that `import hcs_core`
itself brings in nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_SPECS = (
    "CommandSpec",
    "CompilerPassSpec",
    "ConverterSpec",
    "ExecutorSpec",
    "KernelSpec",
    "MemoryTypeSpec",
    "MicroscopeSpec",
    "ReaderSpec",
    "StitcherSpec",
    "StorageBackendSpec",
    "WriterSpec",
)
_HOMES = {
    **dict.fromkeys(_SPECS, "hcs_core.plugins.specs"),
    "MissingPolicy": "hcs_core.plugins.signature",
    "Parameter": "hcs_core.plugins.signature",
    "Signature": "hcs_core.plugins.signature",
    "hookimpl": "hcs_core.plugins.hookspecs",
    **dict.fromkeys(
        ("Channel", "Plane", "PlaneKind", "PlaneState", "PlaneTable", "Plate", "SitePosition"),
        "hcs_core.plate.inventory",
    ),
    **dict.fromkeys(
        (
            "FilenameParser",
            "LayoutWriter",
            "MicroscopeHandler",
            "ParsedName",
            "PlaneFacts",
            "PlaneSource",
            "PlateDescription",
        ),
        "hcs_core.plate.microscope",
    ),
    **dict.fromkeys(("Header", "Reader", "Region"), "hcs_core.plate.reader"),
    **dict.fromkeys(
        (
            "ChannelLayout",
            "Compression",
            "FinishedWell",
            "ImageLayout",
            "PlaneAddress",
            "StoreLayout",
            "WellSummary",
            "level_shapes",
        ),
        "hcs_core.storage.layout",
    ),
    **dict.fromkeys(("Droppable", "ImageStore", "StorageBackend", "WellStore"), "hcs_core.storage.backend"),
    **dict.fromkeys(
        ("canonical_well", "parse_well", "plate_format", "row_name", "select_wells", "well_name"),
        "hcs_core.plate.wells",
    ),
    **dict.fromkeys(("PlateError", "PluginError", "ReadError", "StorageError"), "hcs_core.errors"),
    "to_dtype": "hcs_core.arrays.dtype_policy",
    "MemoryType": "hcs_core.arrays.memory_type",
    "PluginManager": "hcs_core.plugins.manager",
    "HcsError": "hcs_core.errors",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - the names are strings, ruff cannot see it


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
