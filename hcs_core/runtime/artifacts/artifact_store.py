"""What becomes of artifacts in the driver: kept well by well, and written for the plate when the run ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from hcs_core.arrays.table import Table
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.artifacts.artifact_files import artifact_paths, forget_files, note_files, write_artifacts
from hcs_core.runtime.artifacts.image_files import publish_images, withdraw_images
from hcs_core.runtime.artifacts.plate_tables import PlateTables
from hcs_core.runtime.artifacts.well_parts import WellParts
from hcs_core.runtime.task import WellRecord


class Measured(TypedDict):
    """What a run's result has of its artifacts, by the fields of `RunResult`."""

    tables: Mapping[str, Table]
    well_tables: Mapping[str, Mapping[str, Table]]
    artifacts: Mapping[str, Path]


class ArtifactStore:
    """The artifacts of an output.

    Parameters
    ----------
    plan
        What makes them.
    output, results
        The output folder, and that of the plate's tables.
    plugins
        Where writers are registered.
    """

    def __init__(self, plan: Plan, output: Path, results: Path, plugins: PluginManager) -> None:
        self._plan = plan
        self._output = output
        self._results = results
        self._plugins = plugins
        self._parts = WellParts(output)

    def begin(self) -> None:
        """Note what the run will write, before it does.

        Raises
        ------
        PluginError
            A writer cannot be imported: better now than when all wells are done.
        """
        for artifact in self._plan.artifacts:
            self._plugins.writers.load(artifact.writer)
        self._note(())

    def keep(self, record: WellRecord) -> None:
        """Keep what a well that is whole has made.

        Raises
        ------
        StorageError, OSError
            It cannot be written.
        """
        if self._plan.measures or record.tables or record.documents:
            self._parts.save(record.well, record.tables, record.documents)
        publish_images(self._plan, self._output, self._results, record.well)

    def discard(self, well: str) -> None:
        """Remove what a well that is not whole has left, or is made again."""
        self._parts.remove(well)
        withdraw_images(self._plan, self._output, self._results, well)

    def finish(self, whole: Sequence[str]) -> Measured:
        """Write the plate's files from the wells that are whole; return what there is.

        Raises
        ------
        StorageError
            Something cannot be read or written.
        """
        measured = self._parts.wells()
        wells = [well for well in whole if well in measured]
        tables = PlateTables(self._parts, wells)
        if self._plan.artifacts or len(tables):
            self._note(tuple(tables))
            self._results.mkdir(parents=True, exist_ok=True)
            write_artifacts(self._plan, self._plugins, self._results, tables, self._parts, wells)
            # What an earlier run wrote with another writer would be taken for this one's.
            forget_files(self._output, but=self._files(tuple(tables)))
        paths = artifact_paths(self._plan, tuple(tables))
        return Measured(
            tables=tables,
            well_tables={well: PlateTables(self._parts, (well,)) for well in wells},
            artifacts={name: self._results / path for name, path in paths.items() if (self._results / path).exists()},
        )

    def _note(self, tables: Sequence[str]) -> None:
        files = self._files(tables)
        if files:
            note_files(self._output, files)

    def _files(self, tables: Sequence[str]) -> list[Path]:
        """Return what is written, relative to the output where it lies in it."""
        results = self._results
        inside = results.relative_to(self._output) if results.is_relative_to(self._output) else results
        return [inside / path for path in artifact_paths(self._plan, tables).values()]
