"""The kinds of things that plugins declare, each with its hook and its spec."""

from __future__ import annotations

from typing import Any

import attrs

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

Spec = (
    MicroscopeSpec
    | ReaderSpec
    | StorageBackendSpec
    | MemoryTypeSpec
    | ConverterSpec
    | KernelSpec
    | StitcherSpec
    | WriterSpec
    | CompilerPassSpec
    | ExecutorSpec
    | CommandSpec
)
"""Any of the specs."""


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of thing that plugins declare: the word it goes by, its hook and its spec."""

    word: str
    """Plural, as in `PluginManager.microscopes` and in the JSON of `hcs plugins`."""
    singular: str
    """As in an error: `no storage backend is called ...`."""
    spec: type[Any]

    @property
    def hook(self) -> str:
        """The name of the hook that declares it."""
        return f"hcs_{self.word}"


KINDS: tuple[Kind, ...] = (
    Kind(word="microscopes", singular="microscope", spec=MicroscopeSpec),
    Kind(word="readers", singular="reader", spec=ReaderSpec),
    Kind(word="storage_backends", singular="storage backend", spec=StorageBackendSpec),
    Kind(word="memory_types", singular="memory type", spec=MemoryTypeSpec),
    Kind(word="converters", singular="converter", spec=ConverterSpec),
    Kind(word="kernels", singular="kernel", spec=KernelSpec),
    Kind(word="stitchers", singular="stitcher", spec=StitcherSpec),
    Kind(word="writers", singular="writer", spec=WriterSpec),
    Kind(word="compiler_passes", singular="compiler pass", spec=CompilerPassSpec),
    Kind(word="executors", singular="executor", spec=ExecutorSpec),
    Kind(word="commands", singular="command", spec=CommandSpec),
)
"""Every kind, in the order in which `hcs plugins` lists them."""
