"""Process high-content-screening plates: any microscope in, a standard OME-Zarr plate out, through plugins.

Everything that a user or a plugin author needs comes from here; each name is imported on first use, so that
`import hcs_core` itself brings in nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hcs_core.arrays.dtype_policy import (
        to_dtype as to_dtype,
    )
    from hcs_core.arrays.memory_type import (
        MemoryType as MemoryType,
    )
    from hcs_core.errors import (
        CompileError as CompileError,
        ConfigError as ConfigError,
        DetectionError as DetectionError,
        HcsError as HcsError,
        KernelError as KernelError,
        PipelineError as PipelineError,
        PlateError as PlateError,
        PluginError as PluginError,
        ReadError as ReadError,
        RunError as RunError,
        StorageError as StorageError,
        UnknownNameError as UnknownNameError,
    )
    from hcs_core.plate.inventory import (
        Channel as Channel,
        Plane as Plane,
        PlaneKind as PlaneKind,
        PlaneState as PlaneState,
        PlaneTable as PlaneTable,
        Plate as Plate,
        SitePosition as SitePosition,
    )
    from hcs_core.plate.microscope import (
        FilenameParser as FilenameParser,
        LayoutWriter as LayoutWriter,
        MicroscopeHandler as MicroscopeHandler,
        ParsedName as ParsedName,
        PlaneFacts as PlaneFacts,
        PlaneSource as PlaneSource,
        PlateDescription as PlateDescription,
    )
    from hcs_core.plate.reader import (
        Header as Header,
        Reader as Reader,
        Region as Region,
    )
    from hcs_core.plate.wells import (
        canonical_well as canonical_well,
        parse_well as parse_well,
        plate_format as plate_format,
        row_name as row_name,
        select_wells as select_wells,
        well_name as well_name,
    )
    from hcs_core.plugins.hookspecs import (
        hookimpl as hookimpl,
    )
    from hcs_core.plugins.manager import (
        PluginManager as PluginManager,
    )
    from hcs_core.plugins.signature import (
        MissingPolicy as MissingPolicy,
        Parameter as Parameter,
        Signature as Signature,
    )
    from hcs_core.plugins.specs import (
        CommandSpec as CommandSpec,
        CompilerPassSpec as CompilerPassSpec,
        ConverterSpec as ConverterSpec,
        ExecutorSpec as ExecutorSpec,
        KernelSpec as KernelSpec,
        MemoryTypeSpec as MemoryTypeSpec,
        MicroscopeSpec as MicroscopeSpec,
        ReaderSpec as ReaderSpec,
        StitcherSpec as StitcherSpec,
        StorageBackendSpec as StorageBackendSpec,
        WriterSpec as WriterSpec,
    )
    from hcs_core.storage.backend import (
        Droppable as Droppable,
        ImageStore as ImageStore,
        StorageBackend as StorageBackend,
        WellStore as WellStore,
    )
    from hcs_core.storage.layout import (
        ChannelLayout as ChannelLayout,
        Compression as Compression,
        FinishedWell as FinishedWell,
        ImageLayout as ImageLayout,
        PlaneAddress as PlaneAddress,
        StoreLayout as StoreLayout,
        WellSummary as WellSummary,
        level_shapes as level_shapes,
    )

__version__ = "0.1.0"

_NAMES = {
    "hcs_core.arrays.dtype_policy": ("to_dtype",),
    "hcs_core.arrays.memory_type": ("MemoryType",),
    "hcs_core.errors": (
        "CompileError",
        "ConfigError",
        "DetectionError",
        "HcsError",
        "KernelError",
        "PipelineError",
        "PlateError",
        "PluginError",
        "ReadError",
        "RunError",
        "StorageError",
        "UnknownNameError",
    ),
    "hcs_core.plate.inventory": (
        "Channel",
        "Plane",
        "PlaneKind",
        "PlaneState",
        "PlaneTable",
        "Plate",
        "SitePosition",
    ),
    "hcs_core.plate.microscope": (
        "FilenameParser",
        "LayoutWriter",
        "MicroscopeHandler",
        "ParsedName",
        "PlaneFacts",
        "PlaneSource",
        "PlateDescription",
    ),
    "hcs_core.plate.reader": (
        "Header",
        "Reader",
        "Region",
    ),
    "hcs_core.plate.wells": (
        "canonical_well",
        "parse_well",
        "plate_format",
        "row_name",
        "select_wells",
        "well_name",
    ),
    "hcs_core.plugins.hookspecs": ("hookimpl",),
    "hcs_core.plugins.manager": ("PluginManager",),
    "hcs_core.plugins.signature": (
        "MissingPolicy",
        "Parameter",
        "Signature",
    ),
    "hcs_core.plugins.specs": (
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
    ),
    "hcs_core.storage.backend": (
        "Droppable",
        "ImageStore",
        "StorageBackend",
        "WellStore",
    ),
    "hcs_core.storage.layout": (
        "ChannelLayout",
        "Compression",
        "FinishedWell",
        "ImageLayout",
        "PlaneAddress",
        "StoreLayout",
        "WellSummary",
        "level_shapes",
    ),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted((*_HOMES, "__version__"))
