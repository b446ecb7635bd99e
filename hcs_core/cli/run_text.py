"""What `hcs run` says when it is done: what was stitched, measured, estimated and left out, and where each lies."""

from __future__ import annotations

import shlex
from pathlib import Path

from hcs_core.cli.columns import columns_text
from hcs_core.pipeline.config import GlobalPipelineConfig
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.runtime.device_summary import fallbacks_of
from hcs_core.runtime.estimates.estimate_files import EstimateRow
from hcs_core.runtime.planes_table import REPORTED
from hcs_core.runtime.result import RunResult

_WELLS_SHOWN = 12
_ASSUMED = "_assumed"


def run_text(result: RunResult, config: GlobalPipelineConfig, repeat: tuple[str, ...]) -> str:
    """Return what is said of a run; `repeat` is the command that goes on with it."""
    ok = sum(record.status in {"ok", "cached"} for record in result.wells.values())
    wells = len(result.plan.wells) + len(result.plan.skipped_wells)
    lines = [f"{result.plan.plate}: {ok} of {wells} wells done in {result.seconds:.1f} s, in {result.output}"]
    results = result.output / config.path_planning.materialization_results_path
    rows = [
        *(_stores(result) if ok else ()),
        *_artifacts(result),
        *_estimates(result, results),
        (_shown(results / "wells.csv", result), "each well: status, sites, seconds, memory"),
        *_absent(result, results),
        *([(_shown(result.output / "failed.csv", result), _failed(result))] if result.failed else ()),
    ]
    lines += columns_text(("", ""), rows)[1:]
    lines += [f"  {text}" for text in _troubles(result)]
    if result.status in {"interrupted", "partial"}:
        lines.append(f"  To go on: {shlex.join(repeat)}")
    return "\n".join(lines)


def _shown(path: Path, result: RunResult) -> str:
    """Return a path as it lies in the output folder, or whole where it does not."""
    return path.relative_to(result.output).as_posix() if path.is_relative_to(result.output) else str(path)


def _stores(result: RunResult) -> list[tuple[str, str]]:
    """Return each store, and whether images of sites, of whole wells, or both are in it."""
    held: dict[str, list[str]] = {}
    for output in result.plan.outputs:
        what = "mosaics of the wells" if output.image.is_mosaic else "images of the sites"
        held.setdefault(output.store, []).append(what)
    return [(store, " and ".join(dict.fromkeys(what))) for store, what in held.items()]


def _artifacts(result: RunResult) -> list[tuple[str, str]]:
    """Return what functions measured, and the positions: each file, with how many rows a table has."""
    kinds = {artifact.name: artifact.kind for artifact in result.plan.artifacts}
    rows = []
    for name, path in result.artifacts.items():
        table = result.tables.get(name)
        said = f"table of {len(table):,} rows" if table is not None else f"{kinds.get(name, ArtifactKind.TABLE)}"
        rows.append((_shown(path, result), said))
    return rows


def _estimates(result: RunResult, results: Path) -> list[tuple[str, str]]:
    """Return what was estimated of the plate now, of how many planes, and where it lies; or that it was there."""
    if not result.estimates:
        return []
    anew: dict[str, list[str]] = {}
    for row in result.estimates:
        if row.anew:
            counts = anew.setdefault(f"{row.parameter} of {row.step}", [])
            counts.append(f"{row.channel} from {row.estimate.planes} planes")
    file = _shown(results / "estimates.csv", result)
    if not anew:
        return [(file, "what was estimated before, and used again")]
    said = [f"estimated {what}: {', '.join(counts)}" for what, counts in anew.items()]
    return list(zip((file, *[""] * (len(said) - 1)), said, strict=True))


def _absent(result: RunResult, results: Path) -> list[tuple[str, str]]:
    """Return what was left out for absent planes, and where they are listed."""
    absent = sum(row.action != REPORTED for row in result.absent)
    if not absent:
        return []
    skipped = [well for well, record in result.wells.items() if record.status == "skipped"]
    left_out = f"; {len(skipped)} well(s) skipped: {', '.join(skipped[:_WELLS_SHOWN])}" if skipped else ""
    said = f"{absent} plane(s) absent (missing: {result.plan.missing}){left_out}"
    return [(_shown(results / "planes.csv", result), said)]


def _failed(result: RunResult) -> str:
    wells = ", ".join(record.well for record in result.failed[:_WELLS_SHOWN])
    return f"{len(result.failed)} failed: {wells}; why, and how to repeat each"


def _troubles(result: RunResult) -> list[str]:
    """Return what an estimate had to assume, what it could not read, why it has no picture, and full devices."""
    found = [text for row in result.estimates if row.anew for text in _assumed(row)]
    for row in result.estimates:
        if row.anew and row.estimate.unreadable:
            files = row.estimate.unreadable
            found.append(f"estimate of {row.channel}: {len(files)} file(s) could not be read: {files[0]}")
        if row.anew and row.estimate.failed:
            wells = row.estimate.failed
            found.append(f"estimate of {row.channel}: {len(wells)} well(s) failed. {wells[0]}")
    whys = dict.fromkeys(row.why_no_picture for row in result.estimates if row.why_no_picture)
    found += [
        f"{fallback.step}: {fallback.device} was too small for {fallback.kernel} in {len(where)} well(s): "
        f"{fallback.to}, {fallback.calls} time(s)"
        for fallback, where in fallbacks_of(result.wells.values())
    ]
    return [*dict.fromkeys(found), *(f"no picture of what was estimated: {why}" for why in whys)]


def _assumed(row: EstimateRow) -> list[str]:
    """Return what the user could have given, and has not: an operation notes that `x` was by `x_assumed`."""
    notes = row.estimate.notes
    names = [name.removesuffix(_ASSUMED) for name, value in notes.items() if name.endswith(_ASSUMED) and value]
    return [f"{row.step}: {name} was not given, and {notes[name]:g} was assumed" for name in names]
