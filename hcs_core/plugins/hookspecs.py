"""Every hook of hcs_core: the whole surface that a plugin can extend, on one page.

A plugin is a module (or any object) with `hcs_api = 1` and some of these functions, each marked with
`hcs_core.hookimpl`. Declaration hooks take nothing and yield frozen specs; policies answer once, or `None`;
events take one frozen object. Never rely on the order in which plugins are asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pluggy

from hcs_core.plugins.events import Event, PlanCompiled, RunFinished
from hcs_core.plugins.specs import (
    CommandSpec,
    CompilerPassSpec,
    ConverterSpec,
    ExecutorSpec,
    KernelSpec,
    MemoryTypeSpec,
    MicroscopeSpec,
    ReaderSpec,
    StitcherSpec,
    StorageBackendSpec,
    WriterSpec,
)

PROJECT = "hcs_core"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""The mark of a plugin's functions that are hooks."""


# --- Declarations -----------------------------------------------------------------------------------------


@hookspec
def hcs_microscopes() -> Iterable[MicroscopeSpec]:  # type: ignore[empty-body]
    """Declare microscopes whose plates can be read.

    Examples
    --------
    >>> from hcs_core import MicroscopeSpec, hookimpl
    >>> @hookimpl
    ... def hcs_microscopes():
    ...     yield MicroscopeSpec(name="mine", target="my_package.handler:MyHandler", markers=("*.mine",))
    """


@hookspec
def hcs_readers() -> Iterable[ReaderSpec]:  # type: ignore[empty-body]
    """Declare ways to get pixels from a plane's location.

    Examples
    --------
    >>> from hcs_core import ReaderSpec, hookimpl
    >>> @hookimpl
    ... def hcs_readers():
    ...     yield ReaderSpec(name="czi", target="my_package.czi:CziReader")
    """


@hookspec
def hcs_storage_backends() -> Iterable[StorageBackendSpec]:  # type: ignore[empty-body]
    """Declare places where arrays rest.

    Examples
    --------
    >>> from hcs_core import StorageBackendSpec, hookimpl
    >>> @hookimpl
    ... def hcs_storage_backends():
    ...     yield StorageBackendSpec(name="hdf5", target="my_package.store:Hdf5Backend")
    """


@hookspec
def hcs_memory_types() -> Iterable[MemoryTypeSpec]:  # type: ignore[empty-body]
    """Declare array libraries that kernels can work in.

    Examples
    --------
    >>> from hcs_core import MemoryTypeSpec, hookimpl
    >>> @hookimpl
    ... def hcs_memory_types():
    ...     yield MemoryTypeSpec(name="mlx", target="my_package.memory:MlxMemory", library="mlx")
    """


@hookspec
def hcs_converters() -> Iterable[ConverterSpec]:  # type: ignore[empty-body]
    """Declare direct routes between two memory types; without one, arrays go through host memory.

    Examples
    --------
    >>> from hcs_core import ConverterSpec, hookimpl
    >>> @hookimpl
    ... def hcs_converters():
    ...     yield ConverterSpec(source="torch", destination="mlx", target="my_package.memory:from_torch")
    """


@hookspec
def hcs_kernels() -> Iterable[KernelSpec]:  # type: ignore[empty-body]
    """Declare implementations of operations.

    Examples
    --------
    >>> from hcs_core import KernelSpec, Parameter, Signature, hookimpl
    >>> @hookimpl
    ... def hcs_kernels():
    ...     signature = Signature(
    ...         axes="yx", out="yx", parameters=(Parameter(name="offset", kind="float", default=100.0),)
    ...     )
    ...     yield KernelSpec(
    ...         operation="subtract_offset",
    ...         memory_type="numpy",
    ...         target="my_package.kernels:subtract_offset",
    ...         signature=signature,
    ...     )
    """


@hookspec
def hcs_stitchers() -> Iterable[StitcherSpec]:  # type: ignore[empty-body]
    """Declare ways to find the positions of sites and to fuse them.

    Examples
    --------
    >>> from hcs_core import StitcherSpec, hookimpl
    >>> @hookimpl
    ... def hcs_stitchers():
    ...     yield StitcherSpec(name="mine", target="my_package.stitch:MyStitcher")
    """


@hookspec
def hcs_writers() -> Iterable[WriterSpec]:  # type: ignore[empty-body]
    """Declare ways to write artifacts into files: functions `write(artifact, path)`.

    Examples
    --------
    >>> from hcs_core import WriterSpec, hookimpl
    >>> @hookimpl
    ... def hcs_writers():
    ...     yield WriterSpec(name="parquet", kind="table", target="my_package.tables:write", suffix=".parquet")
    """


@hookspec
def hcs_compiler_passes() -> Iterable[CompilerPassSpec]:  # type: ignore[empty-body]
    """Declare compiler passes; `after` and `before` name the passes that they stand between.

    Examples
    --------
    >>> from hcs_core import CompilerPassSpec, hookimpl
    >>> @hookimpl
    ... def hcs_compiler_passes():
    ...     yield CompilerPassSpec(name="house_rules", target="my_package.rules:check", after=("paths",))
    """


@hookspec
def hcs_executors() -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
    """Declare what can run the wells of a plan.

    Examples
    --------
    >>> from hcs_core import ExecutorSpec, hookimpl
    >>> @hookimpl
    ... def hcs_executors():
    ...     yield ExecutorSpec(name="batch", target="my_package.batch:BatchExecutor")
    """


@hookspec
def hcs_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]
    """Declare subcommands of `hcs`.

    Examples
    --------
    >>> from hcs_core import CommandSpec, hookimpl
    >>> @hookimpl
    ... def hcs_commands():
    ...     yield CommandSpec(name="upload", target="my_package.upload:command", summary="Upload a result")
    """


# --- Policies: the program's answer before that of what is installed; two installed ones that answer: an error ----


@hookspec(firstresult=True)
def hcs_choose_microscope(root: Path, candidates: tuple[str, ...]) -> str | None:
    """Choose one of `candidates`, the microscopes that recognise the folder `root`; `None` leaves it to others.

    Examples
    --------
    >>> from hcs_core import hookimpl
    >>> @hookimpl
    ... def hcs_choose_microscope(root, candidates):
    ...     return "imagexpress" if "imagexpress" in candidates else None
    """


@hookspec(firstresult=True)
def hcs_choose_device(memory_type: str, devices: tuple[str, ...]) -> str | None:
    """Choose one of `devices`, on which a memory type can work; `None` leaves it to others.

    Examples
    --------
    >>> from hcs_core import hookimpl
    >>> @hookimpl
    ... def hcs_choose_device(memory_type, devices):
    ...     return devices[-1]
    """


# --- Events -------------------------------------------------------------------------------------------------


@hookspec
def hcs_plan_compiled(event: PlanCompiled) -> None:
    """Hear of a plan that was compiled without a problem.

    Examples
    --------
    >>> from hcs_core import hookimpl
    >>> @hookimpl
    ... def hcs_plan_compiled(event):
    ...     print(event.digest)
    """


@hookspec
def hcs_event(event: Event) -> None:
    """Hear of everything that happens, in the order in which it does.

    Examples
    --------
    >>> from hcs_core import hookimpl
    >>> @hookimpl
    ... def hcs_event(event):
    ...     print(type(event).__name__)
    """


@hookspec
def hcs_run_finished(event: RunFinished) -> None:
    """Hear of a run that is over.

    Examples
    --------
    >>> from hcs_core import hookimpl
    >>> @hookimpl
    ... def hcs_run_finished(event):
    ...     print(event.status, event.output)
    """
