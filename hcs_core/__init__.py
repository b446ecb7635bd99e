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
    from hcs_core.arrays.step_function import (
        step_function as step_function,
    )
    from hcs_core.compiler.compiling import (
        CompileInput as CompileInput,
    )
    from hcs_core.compiler.compiling import (
        compile_plan as compile_plan,
    )
    from hcs_core.compiler.machine import (
        Existing as Existing,
    )
    from hcs_core.compiler.machine import (
        Machine as Machine,
    )
    from hcs_core.compiler.plan import (
        Plan as Plan,
    )
    from hcs_core.compiler.plan import (
        Problem as Problem,
    )
    from hcs_core.errors import (
        CompileError as CompileError,
    )
    from hcs_core.errors import (
        ConfigError as ConfigError,
    )
    from hcs_core.errors import (
        DetectionError as DetectionError,
    )
    from hcs_core.errors import (
        HcsError as HcsError,
    )
    from hcs_core.errors import (
        KernelError as KernelError,
    )
    from hcs_core.errors import (
        PipelineError as PipelineError,
    )
    from hcs_core.errors import (
        PlateError as PlateError,
    )
    from hcs_core.errors import (
        PluginError as PluginError,
    )
    from hcs_core.errors import (
        ReadError as ReadError,
    )
    from hcs_core.errors import (
        RunError as RunError,
    )
    from hcs_core.errors import (
        StorageError as StorageError,
    )
    from hcs_core.errors import (
        UnknownNameError as UnknownNameError,
    )
    from hcs_core.orchestrator import (
        PipelineOrchestrator as PipelineOrchestrator,
    )
    from hcs_core.pipeline.config import (
        GlobalPipelineConfig as GlobalPipelineConfig,
    )
    from hcs_core.pipeline.config import (
        PathPlanningConfig as PathPlanningConfig,
    )
    from hcs_core.pipeline.config import (
        Selection as Selection,
    )
    from hcs_core.pipeline.config import (
        VFSConfig as VFSConfig,
    )
    from hcs_core.pipeline.config import (
        ZarrConfig as ZarrConfig,
    )
    from hcs_core.pipeline.names import (
        Backend as Backend,
    )
    from hcs_core.pipeline.names import (
        MaterializationBackend as MaterializationBackend,
    )
    from hcs_core.pipeline.names import (
        Microscope as Microscope,
    )
    from hcs_core.pipeline.names import (
        MissingData as MissingData,
    )
    from hcs_core.pipeline.names import (
        ZarrChunkStrategy as ZarrChunkStrategy,
    )
    from hcs_core.pipeline.names import (
        ZarrCompressor as ZarrCompressor,
    )
    from hcs_core.pipeline.pipeline import (
        Pipeline as Pipeline,
    )
    from hcs_core.pipeline.step import (
        Step as Step,
    )
    from hcs_core.plate.inventory import (
        Channel as Channel,
    )
    from hcs_core.plate.inventory import (
        Plane as Plane,
    )
    from hcs_core.plate.inventory import (
        PlaneKind as PlaneKind,
    )
    from hcs_core.plate.inventory import (
        PlaneState as PlaneState,
    )
    from hcs_core.plate.inventory import (
        PlaneTable as PlaneTable,
    )
    from hcs_core.plate.inventory import (
        Plate as Plate,
    )
    from hcs_core.plate.inventory import (
        SitePosition as SitePosition,
    )
    from hcs_core.plate.microscope import (
        FilenameParser as FilenameParser,
    )
    from hcs_core.plate.microscope import (
        LayoutWriter as LayoutWriter,
    )
    from hcs_core.plate.microscope import (
        MicroscopeHandler as MicroscopeHandler,
    )
    from hcs_core.plate.microscope import (
        ParsedName as ParsedName,
    )
    from hcs_core.plate.microscope import (
        PlaneFacts as PlaneFacts,
    )
    from hcs_core.plate.microscope import (
        PlaneSource as PlaneSource,
    )
    from hcs_core.plate.microscope import (
        PlateDescription as PlateDescription,
    )
    from hcs_core.plate.opening import (
        open_plate as open_plate,
    )
    from hcs_core.plate.reader import (
        Header as Header,
    )
    from hcs_core.plate.reader import (
        Reader as Reader,
    )
    from hcs_core.plate.reader import (
        Region as Region,
    )
    from hcs_core.plate.wells import (
        canonical_well as canonical_well,
    )
    from hcs_core.plate.wells import (
        parse_well as parse_well,
    )
    from hcs_core.plate.wells import (
        plate_format as plate_format,
    )
    from hcs_core.plate.wells import (
        row_name as row_name,
    )
    from hcs_core.plate.wells import (
        select_wells as select_wells,
    )
    from hcs_core.plate.wells import (
        well_name as well_name,
    )
    from hcs_core.plugins.events import (
        Event as Event,
    )
    from hcs_core.plugins.events import (
        PlanCompiled as PlanCompiled,
    )
    from hcs_core.plugins.events import (
        RunFinished as RunFinished,
    )
    from hcs_core.plugins.events import (
        RunStarted as RunStarted,
    )
    from hcs_core.plugins.events import (
        WellFinished as WellFinished,
    )
    from hcs_core.plugins.hookspecs import (
        hookimpl as hookimpl,
    )
    from hcs_core.plugins.manager import (
        PluginManager as PluginManager,
    )
    from hcs_core.plugins.signature import (
        MissingPolicy as MissingPolicy,
    )
    from hcs_core.plugins.signature import (
        Parameter as Parameter,
    )
    from hcs_core.plugins.signature import (
        Signature as Signature,
    )
    from hcs_core.plugins.specs import (
        CommandSpec as CommandSpec,
    )
    from hcs_core.plugins.specs import (
        CompilerPassSpec as CompilerPassSpec,
    )
    from hcs_core.plugins.specs import (
        ConverterSpec as ConverterSpec,
    )
    from hcs_core.plugins.specs import (
        ExecutorSpec as ExecutorSpec,
    )
    from hcs_core.plugins.specs import (
        KernelSpec as KernelSpec,
    )
    from hcs_core.plugins.specs import (
        MemoryTypeSpec as MemoryTypeSpec,
    )
    from hcs_core.plugins.specs import (
        MicroscopeSpec as MicroscopeSpec,
    )
    from hcs_core.plugins.specs import (
        ReaderSpec as ReaderSpec,
    )
    from hcs_core.plugins.specs import (
        StitcherSpec as StitcherSpec,
    )
    from hcs_core.plugins.specs import (
        StorageBackendSpec as StorageBackendSpec,
    )
    from hcs_core.plugins.specs import (
        WriterSpec as WriterSpec,
    )
    from hcs_core.runtime.context import (
        ProcessingContext as ProcessingContext,
    )
    from hcs_core.runtime.executor import (
        Executor as Executor,
    )
    from hcs_core.runtime.result import (
        RunResult as RunResult,
    )
    from hcs_core.runtime.running import (
        RunOptions as RunOptions,
    )
    from hcs_core.runtime.task import (
        RunJob as RunJob,
    )
    from hcs_core.runtime.task import (
        WellRecord as WellRecord,
    )
    from hcs_core.runtime.task import (
        WellTask as WellTask,
    )
    from hcs_core.storage.backend import (
        Droppable as Droppable,
    )
    from hcs_core.storage.backend import (
        ImageStore as ImageStore,
    )
    from hcs_core.storage.backend import (
        StorageBackend as StorageBackend,
    )
    from hcs_core.storage.backend import (
        WellStore as WellStore,
    )
    from hcs_core.storage.layout import (
        ChannelLayout as ChannelLayout,
    )
    from hcs_core.storage.layout import (
        Compression as Compression,
    )
    from hcs_core.storage.layout import (
        FinishedWell as FinishedWell,
    )
    from hcs_core.storage.layout import (
        ImageLayout as ImageLayout,
    )
    from hcs_core.storage.layout import (
        PlaneAddress as PlaneAddress,
    )
    from hcs_core.storage.layout import (
        StoreLayout as StoreLayout,
    )
    from hcs_core.storage.layout import (
        WellSummary as WellSummary,
    )
    from hcs_core.storage.layout import (
        level_shapes as level_shapes,
    )

__version__ = "0.1.0"

_NAMES = {
    "hcs_core.arrays.dtype_policy": ("to_dtype",),
    "hcs_core.arrays.memory_type": ("MemoryType",),
    "hcs_core.arrays.step_function": ("step_function",),
    "hcs_core.compiler.compiling": (
        "CompileInput",
        "compile_plan",
    ),
    "hcs_core.compiler.machine": (
        "Existing",
        "Machine",
    ),
    "hcs_core.compiler.plan": (
        "Plan",
        "Problem",
    ),
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
    "hcs_core.orchestrator": ("PipelineOrchestrator",),
    "hcs_core.pipeline.config": (
        "GlobalPipelineConfig",
        "PathPlanningConfig",
        "Selection",
        "VFSConfig",
        "ZarrConfig",
    ),
    "hcs_core.pipeline.names": (
        "Backend",
        "MaterializationBackend",
        "Microscope",
        "MissingData",
        "ZarrChunkStrategy",
        "ZarrCompressor",
    ),
    "hcs_core.pipeline.pipeline": ("Pipeline",),
    "hcs_core.pipeline.step": ("Step",),
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
    "hcs_core.plate.opening": ("open_plate",),
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
    "hcs_core.plugins.events": (
        "Event",
        "PlanCompiled",
        "RunFinished",
        "RunStarted",
        "WellFinished",
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
    "hcs_core.runtime.context": ("ProcessingContext",),
    "hcs_core.runtime.executor": ("Executor",),
    "hcs_core.runtime.result": ("RunResult",),
    "hcs_core.runtime.running": ("RunOptions",),
    "hcs_core.runtime.task": (
        "RunJob",
        "WellRecord",
        "WellTask",
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
