"""What a spec's target is, and what it lacks of what its kind must be."""

from __future__ import annotations

import pkgutil
from typing import Any

from hcs_core.arrays.memory_type import MemoryType
from hcs_core.errors import one_line
from hcs_core.plate.microscope import FilenameParser, LayoutWriter, MicroscopeHandler
from hcs_core.plate.reader import Reader
from hcs_core.plugins.kinds import Spec
from hcs_core.runtime.executor import Executor
from hcs_core.runtime.stitcher import Stitcher
from hcs_core.storage.backend import StorageBackend

_PROTOCOLS: dict[str, type[Any]] = {
    "microscopes": MicroscopeHandler,
    "readers": Reader,
    "storage_backends": StorageBackend,
    "memory_types": MemoryType,
    "executors": Executor,
    "stitchers": Stitcher,
}
"""Kinds whose target is a class, made without arguments, that follows a protocol."""


def imported(target: str) -> Any:
    """Return what `package.module:attribute` names."""
    return pkgutil.resolve_name(target)


def made(spec: Spec) -> Any:
    """Return an object of the class that a spec's target is."""
    return imported(spec.target)()


def misfit(word: str, spec: Spec) -> str | None:
    """Return why a target is not what its kind (`microscopes`) must be, or `None` where it is."""
    target = imported(spec.target)
    if word == "commands":
        import click

        return None if isinstance(target, click.Command) else "it is no click command"
    if word not in _PROTOCOLS:
        return None if callable(target) else "it cannot be called"
    wrong = _lacking(target, _PROTOCOLS[word])
    if wrong is None and word == "microscopes":
        wrong = _lacking(lambda: target().parser, FilenameParser)
        writer = getattr(spec, "layout_writer", "")
        if wrong is None and writer:
            wrong = _lacking(imported(writer), LayoutWriter)
    return wrong


def _lacking(target: Any, protocol: type[Any]) -> str | None:
    try:
        found = target()
    # An author's constructor may raise anything; here it is told as what it is.
    except Exception as error:  # noqa: BLE001
        return f"it cannot be made without arguments ({one_line(error)})"
    missing = [name for name in dir(protocol) if not name.startswith("_") and not hasattr(found, name)]
    return f"it has no {', no '.join(missing)}, as hcs_core.{protocol.__name__} asks" if missing else None
