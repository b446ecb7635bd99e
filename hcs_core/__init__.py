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
    from hcs_core.arrays.image_artifact import (
        ImageArtifact as ImageArtifact,
    )
    from hcs_core.arrays.marks import HasMarks as HasMarks
    from hcs_core.arrays.memory_type import (
        HasDevices as HasDevices,
        HasQueue as HasQueue,
        MemoryType as MemoryType,
    )
    from hcs_core.arrays.step_function import (
        step_function as step_function,
    )
    from hcs_core.arrays.table import (
        Table as Table,
    )
    from hcs_core.compiler.choice.costs import Costs as Costs
    from hcs_core.compiler.compiling import (
        CompileInput as CompileInput,
        compile_plan as compile_plan,
    )
    from hcs_core.compiler.machine import (
        Existing as Existing,
        Machine as Machine,
    )
    from hcs_core.compiler.plan import Plan as Plan
    from hcs_core.compiler.problem import Problem as Problem
    from hcs_core.errors import (
        CompileError as CompileError,
        ConfigError as ConfigError,
        DetectionError as DetectionError,
        HcsError as HcsError,
        PipelineError as PipelineError,
        PlateError as PlateError,
        PluginError as PluginError,
        ReadError as ReadError,
        RunError as RunError,
        StorageError as StorageError,
        UnknownNameError as UnknownNameError,
    )
    from hcs_core.orchestrator import (
        PipelineOrchestrator as PipelineOrchestrator,
    )
    from hcs_core.pipeline.config import (
        GlobalPipelineConfig as GlobalPipelineConfig,
        PathPlanningConfig as PathPlanningConfig,
        Selection as Selection,
        VFSConfig as VFSConfig,
        WritersConfig as WritersConfig,
        ZarrConfig as ZarrConfig,
    )
    from hcs_core.pipeline.names import (
        Backend as Backend,
        MaterializationBackend as MaterializationBackend,
        Microscope as Microscope,
        MissingData as MissingData,
        OmeZarrVersion as OmeZarrVersion,
        ZarrChunkStrategy as ZarrChunkStrategy,
        ZarrCompressor as ZarrCompressor,
        ZarrShards as ZarrShards,
    )
    from hcs_core.pipeline.pipeline import (
        Pipeline as Pipeline,
    )
    from hcs_core.pipeline.step import (
        Step as Step,
    )
    from hcs_core.pipeline.stitching_steps import (
        ImageStitchingStep as ImageStitchingStep,
        PositionGenerationStep as PositionGenerationStep,
    )
    from hcs_core.plate.inventory import Channel as Channel, Plate as Plate, SitePosition as SitePosition
    from hcs_core.plate.microscope import (
        FilenameParser as FilenameParser,
        LayoutWriter as LayoutWriter,
        MicroscopeHandler as MicroscopeHandler,
        ParsedName as ParsedName,
        PlaneFacts as PlaneFacts,
        PlaneSource as PlaneSource,
        PlateDescription as PlateDescription,
    )
    from hcs_core.plate.opening import (
        open_plate as open_plate,
    )
    from hcs_core.plate.picture import (
        PictureChannel as PictureChannel,
        PictureMark as PictureMark,
        PlatePicture as PlatePicture,
        WellState as WellState,
        draw_plate as draw_plate,
        plate_picture as plate_picture,
    )
    from hcs_core.plate.plane_table import (
        Plane as Plane,
        PlaneKind as PlaneKind,
        PlaneState as PlaneState,
        PlaneTable as PlaneTable,
    )
    from hcs_core.plate.reader import (
        Header as Header,
        Reader as Reader,
        Region as Region,
    )
    from hcs_core.plate.thumbnails import (
        Thumbnail as Thumbnail,
        read_thumbnails as read_thumbnails,
        thumbnail_side as thumbnail_side,
    )
    from hcs_core.plate.wells import (
        canonical_well as canonical_well,
        parse_well as parse_well,
        plate_format as plate_format,
        row_name as row_name,
        select_wells as select_wells,
        well_name as well_name,
    )
    from hcs_core.plugins.artifact import (
        ArtifactKind as ArtifactKind,
        Made as Made,
        Taken as Taken,
    )
    from hcs_core.plugins.estimate import (
        Estimate as Estimate,
        Estimated as Estimated,
    )
    from hcs_core.plugins.events import (
        Estimating as Estimating,
        Event as Event,
        PlanCompiled as PlanCompiled,
        RunFinished as RunFinished,
        RunStarted as RunStarted,
        WellFinished as WellFinished,
    )
    from hcs_core.plugins.frame import (
        Frame as Frame,
        FrameChange as FrameChange,
    )
    from hcs_core.plugins.hookspecs import (
        hookimpl as hookimpl,
    )
    from hcs_core.plugins.manager import (
        PluginManager as PluginManager,
    )
    from hcs_core.plugins.parameter import (
        GivenImage as GivenImage,
        Parameter as Parameter,
    )
    from hcs_core.plugins.records import (
        PluginRecord as PluginRecord,
        PluginStatus as PluginStatus,
    )
    from hcs_core.plugins.signature import (
        MissingPolicy as MissingPolicy,
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
    from hcs_core.plugins.tolerance import (
        Tolerance as Tolerance,
    )
    from hcs_core.runtime.context import (
        ProcessingContext as ProcessingContext,
    )
    from hcs_core.runtime.estimates.estimate_files import EstimatePicture as EstimatePicture
    from hcs_core.runtime.executor import (
        Executor as Executor,
        Session as Session,
    )
    from hcs_core.runtime.result import (
        RunResult as RunResult,
    )
    from hcs_core.runtime.running import (
        RunOptions as RunOptions,
    )
    from hcs_core.runtime.services.plate_services import (
        PlateServices as PlateServices,
    )
    from hcs_core.runtime.stitcher import (
        Stitcher as Stitcher,
        TilePositions as TilePositions,
    )
    from hcs_core.runtime.task import (
        RunJob as RunJob,
        WellRecord as WellRecord,
        WellTask as WellTask,
    )
    from hcs_core.storage.backend import (
        Droppable as Droppable,
        FinishesMany as FinishesMany,
        ImageStore as ImageStore,
        Restartable as Restartable,
        StorageBackend as StorageBackend,
        WellStore as WellStore,
    )
    from hcs_core.storage.finished import refuse_unwritable as refuse_unwritable
    from hcs_core.storage.layout import (
        MOSAIC as MOSAIC,
        ChannelLayout as ChannelLayout,
        Compression as Compression,
        FinishedWell as FinishedWell,
        ImageLayout as ImageLayout,
        PlaneAddress as PlaneAddress,
        StoreLayout as StoreLayout,
        WellSummary as WellSummary,
        level_shapes as level_shapes,
    )
    from hcs_core.storage.size import (
        StoreSize as StoreSize,
        images_of as images_of,
        plain_size as plain_size,
    )

__version__ = "0.1.0"

_NAMES = {
    "hcs_core.arrays.dtype_policy": "to_dtype",
    "hcs_core.arrays.image_artifact": "ImageArtifact",
    "hcs_core.arrays.marks": "HasMarks",
    "hcs_core.arrays.memory_type": "HasDevices HasQueue MemoryType",
    "hcs_core.arrays.step_function": "step_function",
    "hcs_core.arrays.table": "Table",
    "hcs_core.compiler.choice.costs": "Costs",
    "hcs_core.compiler.compiling": "CompileInput compile_plan",
    "hcs_core.compiler.machine": "Existing Machine",
    "hcs_core.compiler.plan": "Plan",
    "hcs_core.compiler.problem": "Problem",
    "hcs_core.errors": (
        "CompileError ConfigError DetectionError HcsError PipelineError PlateError PluginError "
        "ReadError RunError StorageError UnknownNameError"
    ),
    "hcs_core.orchestrator": "PipelineOrchestrator",
    "hcs_core.pipeline.config": (
        "GlobalPipelineConfig PathPlanningConfig Selection VFSConfig WritersConfig ZarrConfig"
    ),
    "hcs_core.pipeline.names": (
        "Backend MaterializationBackend Microscope MissingData OmeZarrVersion ZarrChunkStrategy ZarrCompressor "
        "ZarrShards"
    ),
    "hcs_core.pipeline.pipeline": "Pipeline",
    "hcs_core.pipeline.step": "Step",
    "hcs_core.pipeline.stitching_steps": "ImageStitchingStep PositionGenerationStep",
    "hcs_core.plate.inventory": "Channel Plate SitePosition",
    "hcs_core.plate.microscope": (
        "FilenameParser LayoutWriter MicroscopeHandler ParsedName PlaneFacts PlaneSource PlateDescription"
    ),
    "hcs_core.plate.opening": "open_plate",
    "hcs_core.plate.picture": "PictureChannel PictureMark PlatePicture WellState draw_plate plate_picture",
    "hcs_core.plate.plane_table": "Plane PlaneKind PlaneState PlaneTable",
    "hcs_core.plate.reader": "Header Reader Region",
    "hcs_core.plate.thumbnails": "Thumbnail read_thumbnails thumbnail_side",
    "hcs_core.plate.wells": "canonical_well parse_well plate_format row_name select_wells well_name",
    "hcs_core.plugins.artifact": "ArtifactKind Made Taken",
    "hcs_core.plugins.events": "Estimating Event PlanCompiled RunFinished RunStarted WellFinished",
    "hcs_core.plugins.estimate": "Estimate Estimated",
    "hcs_core.plugins.frame": "Frame FrameChange",
    "hcs_core.plugins.hookspecs": "hookimpl",
    "hcs_core.plugins.manager": "PluginManager",
    "hcs_core.plugins.parameter": "GivenImage Parameter",
    "hcs_core.plugins.records": "PluginRecord PluginStatus",
    "hcs_core.plugins.signature": "MissingPolicy Signature",
    "hcs_core.plugins.tolerance": "Tolerance",
    "hcs_core.plugins.specs": (
        "CommandSpec CompilerPassSpec ConverterSpec ExecutorSpec KernelSpec MemoryTypeSpec MicroscopeSpec "
        "ReaderSpec StitcherSpec StorageBackendSpec WriterSpec"
    ),
    "hcs_core.runtime.context": "ProcessingContext",
    "hcs_core.runtime.estimates.estimate_files": "EstimatePicture",
    "hcs_core.runtime.executor": "Executor Session",
    "hcs_core.runtime.result": "RunResult",
    "hcs_core.runtime.running": "RunOptions",
    "hcs_core.runtime.services.plate_services": "PlateServices",
    "hcs_core.runtime.stitcher": "Stitcher TilePositions",
    "hcs_core.runtime.task": "RunJob WellRecord WellTask",
    "hcs_core.storage.backend": "Droppable FinishesMany ImageStore Restartable StorageBackend WellStore",
    "hcs_core.storage.finished": "refuse_unwritable",
    "hcs_core.storage.layout": (
        "MOSAIC ChannelLayout Compression FinishedWell ImageLayout PlaneAddress StoreLayout WellSummary level_shapes"
    ),
    "hcs_core.storage.size": "StoreSize images_of plain_size",
}
"""The public names by the module that they live in."""

_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted((*_HOMES, "__version__"))
