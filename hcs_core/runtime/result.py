"""What a run leaves in the hands of its caller, and on disk beside the images."""

from __future__ import annotations

import csv
import io
import json
import platform
import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from hcs_core.compiler.plan import Plan
from hcs_core.plate.inventory import Plate
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.output_folder import pipeline_file, write_whole
from hcs_core.runtime.planes_table import REPORTED, AbsentRow, planes_csv
from hcs_core.runtime.task import WellRecord

FAILED_COLUMNS = ("well", "site", "step", "function", "file", "error", "command")


WELL_COLUMNS = (
    "Metadata_Plate", "Metadata_Well", "status", "sites", "planes_absent", "seconds", "peak_memory_bytes", "error",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class RunResult:
    """What became of a run.

    `status` is `ok`, `partial` (some wells failed), `failed` (none was made) or `interrupted`; `output` is its
    folder; `wells` maps each selected well that has a record to it; `absent` are the planes that gave no pixels.
    """

    status: str
    output: Path
    plan: Plan
    wells: Mapping[str, WellRecord]
    seconds: float
    absent: tuple[AbsentRow, ...] = ()

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
            "versions": versions(plugins),
            "kernels": [
                {
                    "step": node.step,
                    "kernel": node.kernel or node.operation,
                    "version": node.version,
                    "device": node.device,
                }
                for node in self.plan.nodes
            ],
            "wells": {well: _well(record) for well, record in self.wells.items()},
            "missing": [row.to_json() for row in self.absent if row.action != REPORTED],
            "computed": self._kept("ok"),
            "cached": self._kept("cached"),
        }

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


def _well(record: WellRecord) -> dict[str, Any]:
    return {
        "status": record.status,
        "seconds": record.seconds,
        "peak_memory_bytes": record.peak_memory_bytes,
        "error": record.fault.error if record.fault else None,
    }


def versions(plugins: PluginManager) -> dict[str, str]:
    """Return the versions of Python and of every distribution that brings a working plugin."""
    found = {"python": platform.python_version()}
    for record in plugins.records():
        if record.status == "ok" and record.version is not None:
            found[record.distribution or record.name] = record.version
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
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(WELL_COLUMNS)
    absent = Counter(row.well for row in result.absent if row.action != REPORTED)
    for well, record in result.wells.items():
        error = record.fault.error if record.fault else ""
        writer.writerow([
            result.plan.plate, well, record.status, len(record.sites), absent[well], record.seconds,
            record.peak_memory_bytes, error,
        ])  # fmt: skip
    return text.getvalue()


def _failed_csv(result: RunResult, repeat: tuple[str, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(FAILED_COLUMNS)
    for record in result.failed:
        fault = record.fault
        if fault is not None:
            command = shlex.join((*repeat, "--wells", record.well)) if repeat else ""
            site = "" if fault.site is None else fault.site
            writer.writerow([record.well, site, fault.step, fault.function, fault.file, fault.error, command])
    return text.getvalue()
