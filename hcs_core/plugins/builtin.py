"""The plugin that the core itself is: host memory, passes, executor, writers and commands, by the same hooks."""

from __future__ import annotations

from collections.abc import Iterable

from hcs_core.plugins.hookspecs import hookimpl
from hcs_core.plugins.specs import CommandSpec, CompilerPassSpec, ExecutorSpec, MemoryTypeSpec, WriterSpec

hcs_api = 1


@hookimpl
def hcs_compiler_passes() -> Iterable[CompilerPassSpec]:
    """Declare the five passes."""
    summaries = {
        "paths": "what each step makes: its name, place, axes, shape, dtype, and whether it is kept",
        "stores": "the arrays that are declared before any worker starts",
        "materialization": "which backend each output rests in, and how long an intermediate lives",
        "memory": "which kernel computes each call, and the memory that a worker needs",
        "devices": "which device each step works on, and how many workers there are",
    }
    before: tuple[str, ...] = ()
    for name, summary in summaries.items():
        yield CompilerPassSpec(
            name=name, target=f"hcs_core.compiler.passes.{name}:{name}_pass", after=before, summary=summary
        )
        before = (name,)


@hookimpl
def hcs_memory_types() -> Iterable[MemoryTypeSpec]:
    """Declare host memory, from which and to which all others convert."""
    yield MemoryTypeSpec(
        name="numpy",
        target="hcs_core.arrays.host_memory:HostMemory",
        library="numpy",
        summary="ordinary arrays in host memory",
    )


@hookimpl
def hcs_executors() -> Iterable[ExecutorSpec]:
    """Declare the local executor."""
    yield ExecutorSpec(
        name="local",
        target="hcs_core.runtime.workers.local_executor:LocalExecutor",
        summary="processes, threads, or the calling process of this machine",
    )


@hookimpl
def hcs_writers() -> Iterable[WriterSpec]:
    """Declare a writer for each kind of artifact that needs no other library."""
    summaries = {
        "csv": ("table", ".csv", "comma-separated values, UTF-8; numbers as they can be read back exactly"),
        "json": ("json", ".json", "JSON, UTF-8"),
        "npy": ("image", ".npy", "numpy's own format of one array"),
    }
    for name, (kind, suffix, summary) in summaries.items():
        yield WriterSpec(
            name=name,
            kind=kind,
            target=f"hcs_core.runtime.artifacts.writers:write_{name}",
            suffix=suffix,
            summary=summary,
        )


@hookimpl
def hcs_commands() -> Iterable[CommandSpec]:
    """Declare the subcommands of `hcs` that need no other plugin."""
    summaries = {
        "inspect": "say what a plate's folder holds, and what is wrong with it",
        "init": "write a commented pipeline file to start from",
        "plan": "say what a run would do, and every problem at once",
        "diff": "say what changes from one plan to another, and which outputs that touches",
        "run": "run pipelines on one plate or several",
        "functions": "list the operations, or show one",
        "schema": "print the JSON Schema of the pipeline file",
        "plugins": "list the installed plugins, or show one",
        "doctor": "say what needs doing: plugins, devices, memory, disk, codecs",
    }
    for name, summary in summaries.items():
        yield CommandSpec(name=name, target=f"hcs_core.cli.{name}_command:{name}_command", summary=summary)
