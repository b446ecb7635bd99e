"""The plate's files of tables and JSON: written through writers when a run ends, and noted, to be removed one day."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hcs_core.compiler.plan import Plan
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.artifacts.plate_tables import PlateTables
from hcs_core.runtime.artifacts.well_parts import WellParts
from hcs_core.runtime.journal import FOLDER
from hcs_core.runtime.whole_files import whole_file

_LIST = "files.json"
_ENGINES_OWN = ("csv", ".csv")
"""What the engine measures itself (positions) is always CSV, so that other programs find it."""


def artifact_paths(plan: Plan, tables: Sequence[str]) -> dict[str, str]:
    """Return the name of the file, or for images of the folder, of each artifact; `tables` may name further ones."""
    paths = {
        artifact.name: artifact.name + ("" if artifact.kind == ArtifactKind.IMAGE else artifact.suffix)
        for artifact in plan.artifacts
    }
    return paths | {name: name + _ENGINES_OWN[1] for name in tables if name not in paths}


def write_artifacts(
    plan: Plan, plugins: PluginManager, results: Path, tables: PlateTables, parts: WellParts, wells: Sequence[str]
) -> None:
    """Write the plate's table of each name, and its JSON: each whole or not at all.

    Raises
    ------
    StorageError
        A file cannot be written, or that of a well cannot be read.
    """
    writers = {artifact.name: (artifact.writer, artifact.suffix) for artifact in plan.artifacts}
    for name in tables:
        writer, suffix = writers.get(name, _ENGINES_OWN)
        _write(plugins, writer, tables.parts(name), results / f"{name}{suffix}")
    for artifact in plan.artifacts:
        if artifact.kind == ArtifactKind.JSON:
            found = {well: parts.document(well, artifact.name) for well in wells}
            document = {well: value for well, value in found.items() if value is not None}
            _write(plugins, artifact.writer, document, results / f"{artifact.name}{artifact.suffix}")


def _write(plugins: PluginManager, writer: str, artifact: Any, path: Path) -> None:
    write: Callable[[Any, Path], None] = plugins.writers.load(writer)
    with whole_file(path) as unfinished:
        write(artifact, unfinished)


def note_files(output: Path, files: Sequence[Path]) -> None:
    """Note what a run writes among its results, so that it can be removed; what was noted before stays."""
    _note(output, list(dict.fromkeys([*noted_files(output), *files])))


def forget_files(output: Path, but: Sequence[Path] = ()) -> None:
    """Remove the files and folders that runs noted, but for some, and forget them."""
    for noted in noted_files(output):
        path = output / noted
        if noted in but:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if but:
        _note(output, but)
    else:
        (output / FOLDER / _LIST).unlink(missing_ok=True)


def noted_files(output: Path) -> list[Path]:
    """Return the files and folders that runs noted, relative to the output or absolute."""
    try:
        return [Path(text) for text in json.loads((output / FOLDER / _LIST).read_text(encoding="utf-8"))]
    except (FileNotFoundError, NotADirectoryError, ValueError):  # None yet, or one that was cut off.
        return []


def _note(output: Path, files: Sequence[Path]) -> None:
    (output / FOLDER / _LIST).write_text(json.dumps([str(path) for path in files]), encoding="utf-8")
