"""`hcs diff`: what changes from one plan to another, and which outputs that touches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hcs_core.cli.columns import columns_text
from hcs_core.cli.session import Session, print_json
from hcs_core.compiler.views.difference import PlanDifference, plan_difference
from hcs_core.errors import HcsError, RunError, one_line
from hcs_core.orchestrator import PipelineOrchestrator
from hcs_core.pipeline.config import GlobalPipelineConfig
from hcs_core.pipeline.config_file import load_config
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.plate.wells import summary

SAME, DIFFERENT, TROUBLE = 0, 1, 2
"""The exit codes of diff tools."""

_NEEDED = frozenset({"digest", "sources", "nodes", "steps", "outputs", "wells", "well_shapes", "plate"})
_PIPELINE_FILES = frozenset({".yaml", ".yml"})


@click.command(name="diff")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--plate", type=click.Path(path_type=Path), help="The plate for which pipeline files are compiled.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration with which they are compiled.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.pass_obj
def diff_command(
    session: Session, /, a: Path, b: Path, plate: Path | None, config: Path | None, as_json: bool
) -> int:
    """Say what changes from plan A to plan B, and which outputs that touches.

    Each is the output folder of a run, a plan.json, or with --plate a pipeline file. The exit code is 0 where they
    are the same, 1 where they differ, and 2 where one cannot be had.
    """
    try:
        found = plan_difference(*(_document(path, plate, config, session) for path in (a, b)))
    except HcsError as error:
        click.echo(f"error: {error}", err=True)
        return TROUBLE
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(_text(found))
    return SAME if found.same else DIFFERENT


def _document(path: Path, plate: Path | None, config: Path | None, session: Session) -> dict[str, Any]:
    if path.suffix in _PIPELINE_FILES:
        return _compiled(path, plate, config, session)
    file = path / "plan.json" if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(
            f"{file} cannot be read as a plan ({one_line(error)}): give the output folder of a run, its plan.json, "
            "or a pipeline file with --plate."
        ) from error
    if not isinstance(document, dict) or not document.keys() >= _NEEDED:
        raise RunError(f"{file} is no plan: give the output folder of a run, or its plan.json.")
    return document


def _compiled(path: Path, plate: Path | None, config: Path | None, session: Session) -> dict[str, Any]:
    """Return the plan of a pipeline file; nothing is made."""
    if plate is None:
        raise RunError(f"{path} is a pipeline file: say with --plate for which plate it is compiled.")
    settings = load_config(config) if config else GlobalPipelineConfig()
    orchestrator = PipelineOrchestrator(plate, global_config=settings, plugins=session.plugins)
    orchestrator.initialize()
    # Through JSON, as what it is compared with has come.
    document: dict[str, Any] = json.loads(json.dumps(orchestrator.plan(Pipeline.load(path)).to_json()))
    return document


def _text(found: PlanDifference) -> str:
    if found.same:
        return "The plans are the same."
    rows = [
        (change.place, change.what, change.before, _arrow(change.before, change.after)) for change in found.changes
    ]
    lines = ["Changes", *columns_text(("where", "what", "before", "after"), rows)] if rows else []
    for word, wells in (("Wells added", found.added_wells), ("Wells removed", found.removed_wells)):
        lines += [f"{word}: {summary(wells)}"] if wells else []
    for word, stores in (("Outputs added", found.added_stores), ("Outputs removed", found.removed_stores)):
        lines += [f"{word}: {', '.join(stores)}"] if stores else []
    if found.touched:
        lines += [
            "Outputs that would not be the same",
            *(f"  {item.store}: {', '.join(item.why)}" for item in found.touched),
        ]
    else:
        lines.append("No output of both would change.")
    return "\n".join(lines)


def _arrow(before: str, after: str) -> str:
    return f"-> {after}" if before and after else after
