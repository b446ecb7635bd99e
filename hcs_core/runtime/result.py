"""What a run leaves in the hands of its caller, and on disk beside the images."""

from __future__ import annotations

import json
import platform
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from hcs_core.arrays.csv_text import csv_text
from hcs_core.arrays.table import Table
from hcs_core.compiler.plan import Plan
from hcs_core.plate.inventory import Plate
from hcs_core.plugins.libraries import library_version
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.device_summary import conversions_of, fallback_json, fallbacks_of
from hcs_core.runtime.estimates.estimate_files import EstimateRow
from hcs_core.runtime.output_folder import pipeline_file
from hcs_core.runtime.planes_table import REPORTED, AbsentRow, planes_csv
from hcs_core.runtime.task import WellRecord
from hcs_core.runtime.well_result import WellResult, wells_html, wells_text
from hcs_core.runtime.whole_files import write_whole

FAILED_COLUMNS = ("well", "site", "step", "function", "file", "error", "command")


WELL_COLUMNS = (
    "Metadata_Plate", "Metadata_Well", "status", "sites", "planes_present", "planes_absent", "seconds",
    "peak_memory_bytes", "outputs", "error",
)  # fmt: skip


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RunResult(Mapping[str, WellResult]):
    """What became of a run: a mapping from each well to what it has.

    `result["A01"].status` is a well's, `result.tables["spots"]` the table of the whole plate.

    Attributes
    ----------
    status
        `ok`, `partial` (some wells failed), `failed` (none was made) or `interrupted`.
    output, plan, seconds
        The folder of the run, what it ran, and how long it took.
    wells
        Each selected well that has a record, with it.
    absent, present
        The planes that gave no pixels, and of how many planes each well's images are made.
    tables, well_tables
        What functions measured, by name, for every finished well of the output; and the same for each well.
    artifacts
        The file, for images the folder, of each artifact.
    estimates
        What was estimated of the plate.
    """

    status: str
    output: Path
    plan: Plan
    wells: Mapping[str, WellRecord]
    seconds: float
    absent: tuple[AbsentRow, ...] = ()
    estimates: tuple[EstimateRow, ...] = ()
    present: Mapping[str, int] = attrs.field(factory=dict)
    tables: Mapping[str, Table] = attrs.field(factory=dict)
    well_tables: Mapping[str, Mapping[str, Table]] = attrs.field(factory=dict)
    artifacts: Mapping[str, Path] = attrs.field(factory=dict)

    def __getitem__(self, well: str) -> WellResult:
        """Return what a well has."""
        record = self.wells[well]
        return WellResult(
            well=well,
            status=record.status,
            sites=record.sites,
            outputs=self._outputs(record),
            tables=self.well_tables.get(well, {}),
            seconds=record.seconds,
            peak_memory_bytes=record.peak_memory_bytes,
            error=record.fault.error if record.fault else None,
        )

    def __iter__(self) -> Iterator[str]:
        """Yield the wells, in the plate's order."""
        return iter(self.wells)

    def __len__(self) -> int:
        """How many wells have a record."""
        return len(self.wells)

    def __repr__(self) -> str:
        """What became of the run and of its wells, for people."""
        return wells_text(self._head, self.values(), tuple(self.tables))

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        return wells_html(self._head, self.values(), tuple(self.tables))

    @property
    def _head(self) -> str:
        done = sum(record.status in {"ok", "cached"} for record in self.wells.values())
        wells = f"{done} of {len(self.wells)} wells done in {self.seconds:.1f} s"
        return f"{self.plan.plate}, {self.plan.pipeline}: {self.status}, {wells}; results in {self.output}"

    def _outputs(self, record: WellRecord) -> tuple[Path, ...]:
        if record.status not in {"ok", "cached"}:
            return ()
        return tuple(self.output / store for store in self.plan.stores_of(record.well))

    @property
    def failed(self) -> tuple[WellRecord, ...]:
        """The records of the wells that failed."""
        return tuple(record for record in self.wells.values() if record.status == "failed")

    def to_json(self, plugins: PluginManager) -> dict[str, Any]:
        """Return what `run.json` holds."""
        return {
            "status": self.status,
            "plan_digest": self.plan.digest,
            "plate": self.plan.plate,
            "microscope": self.plan.microscope,
            "pipeline": self.plan.pipeline,
            "pipelines": list(self.plan.pipelines),
            "seconds": round(self.seconds, 3),
            "versions": versions(plugins, self.plan),
            "kernels": [
                {
                    "step": node.step,
                    "kernel": node.kernel or node.operation,
                    "version": node.version,
                    "device": node.device,
                }
                for node in self.plan.nodes
            ],
            "devices": self._devices(),
            "conversions": conversions_of(self.wells.values()),
            "fallbacks": [fallback_json(*found) for found in fallbacks_of(self.wells.values())],
            "estimates": [row.to_json() for row in self.estimates],
            "wells": {well: _well(record) for well, record in self.wells.items()},
            "missing": [row.to_json() for row in self.absent if row.action != REPORTED],
            "artifacts": {name: _relative(path, self.output) for name, path in self.artifacts.items()},
            "computed": self._kept("ok"),
            "cached": self._kept("cached"),
        }

    def _devices(self) -> dict[str, int]:
        """Return the devices other than the CPU that were used, each with the wells that were worked on there."""
        return dict(sorted(Counter(name for record in self.wells.values() for name in record.devices).items()))

    def _kept(self, status: str) -> int:
        """Return how many pairs of a well and a store there are, of wells with a status."""
        done = [well for well, record in self.wells.items() if record.status == status]
        return sum(len(self.plan.stores_of(well)) for well in done)


def status_of(records: Mapping[str, WellRecord], wells: int, *, stopped: bool) -> str:
    """Return the status of a run of so many wells; skipped ones are what the policy asked for."""
    if len(records) < wells:
        return "interrupted" if stopped else "failed"
    statuses = [record.status for record in records.values()]
    if not {"ok", "cached"}.intersection(statuses):
        return "failed"
    return "partial" if "failed" in statuses else "ok"


def _relative(path: Path, output: Path) -> str:
    """Return a path as it lies in the output folder, or whole where it does not."""
    return path.relative_to(output).as_posix() if path.is_relative_to(output) else str(path)


def _well(record: WellRecord) -> dict[str, Any]:
    return {
        "status": record.status,
        "seconds": record.seconds,
        "peak_memory_bytes": record.peak_memory_bytes,
        "error": record.fault.error if record.fault else None,
    }


def versions(plugins: PluginManager, plan: Plan) -> dict[str, str]:
    """Return the versions of Python, of the plan's array libraries, and of all that bring a working plugin."""
    found = {"python": platform.python_version()}
    for record in plugins.records():
        if record.status == "ok" and record.version is not None:
            found[record.distribution or record.name] = record.version
    for name in dict.fromkeys(node.memory_type for node in plan.nodes):
        if name in plugins.memory_types:
            library = plugins.memory_types.get(name).library
            found |= {library: library_version(library)} if library else {}
    return found


def write_run_files(
    result: RunResult,
    plate: Plate,
    plugins: PluginManager,
    results: Path,
    pipeline_files: tuple[str | None, ...],
    repeat: tuple[str, ...],
) -> None:
    """Write `run.json`, `plan.json`, `pipeline.yaml`, `failed.csv` and the tables, each whole or not at all.

    `results` is the folder of tables (of wells and of absent planes); `repeat` is the command line that runs the plan
    again, which `failed.csv` gives for each failed well alone.
    """
    output = result.output
    results.mkdir(parents=True, exist_ok=True)
    write_whole(results / "wells.csv", _wells_csv(result))
    write_whole(results / "planes.csv", planes_csv(plate, result.absent))
    write_whole(output / "run.json", json.dumps(result.to_json(plugins), indent=1) + "\n")
    write_whole(output / "plan.json", json.dumps(result.plan.to_json(), indent=1) + "\n")
    for number, text in enumerate(pipeline_files, start=1):
        if text is not None:
            write_whole(output / pipeline_file(number), text)
    if result.failed:
        write_whole(output / "failed.csv", _failed_csv(result, repeat))
    else:
        (output / "failed.csv").unlink(missing_ok=True)


def _wells_csv(result: RunResult) -> str:
    """Return a row for each well that has a record, with the columns that other programs join tables by."""
    absent = Counter(row.well for row in result.absent if row.action != REPORTED)
    lines = []
    for well, found in result.items():
        outputs = ";".join(_relative(path, result.output) for path in found.outputs)
        lines.append((
            result.plan.plate, well, found.status, len(found.sites), result.present.get(well, 0), absent[well],
            found.seconds, found.peak_memory_bytes, outputs, found.error,
        ))  # fmt: skip
    return csv_text(WELL_COLUMNS, lines)


def _failed_csv(result: RunResult, repeat: tuple[str, ...]) -> str:
    lines = []
    for record in result.failed:
        fault = record.fault
        if fault is not None:
            command = shlex.join((*repeat, "--wells", record.well)) if repeat else ""
            lines.append((record.well, fault.site, fault.step, fault.function, fault.file, fault.error, command))
    return csv_text(FAILED_COLUMNS, lines)
