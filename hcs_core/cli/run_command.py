"""`hcs run`: runs a pipeline on one plate or several; continues what is there."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import attrs
import click

from hcs_core.cli.plan_command import show_plans
from hcs_core.cli.progress import ProgressListener
from hcs_core.cli.run_options import Asked, asked, run_options
from hcs_core.cli.session import Session, print_json
from hcs_core.runtime.planes_table import REPORTED
from hcs_core.runtime.result import RunResult
from hcs_core.runtime.running import RunOptions
from hcs_core.runtime.workers.worker_environment import ONE_THREAD

_EXIT_CODES = {"ok": 0, "failed": 1, "partial": 3, "interrupted": 130}
_FAILED_SHOWN = 12


@click.command(name="run")
@run_options
@click.option("--fresh", is_flag=True, help="Remove what an earlier run left in the output folder first.")
@click.option(
    "--reestimate",
    is_flag=True,
    help="Make what is estimated of the plate anew, and the wells again that were made with another estimate.",
)
@click.pass_obj
def run_command(session: Session, /, fresh: bool, reestimate: bool, **options: Any) -> int:
    """Run PIPELINE on each PLATE, several one after the other in each well.

    Wells that are in the output already are left as they are.
    """
    for name, one in ONE_THREAD.items():
        # This process is the command's own: what it computes itself keeps to one thread for each worker, too.
        os.environ.setdefault(name, one)
    wanted = asked(options)
    as_json, quiet = options["as_json"], options["quiet"]
    if options["dry_run"]:
        return show_plans(session, wanted, as_json=as_json, quiet=quiet)
    results = []
    with ProgressListener(quiet=quiet or as_json) as progress, _two_interrupts() as signals:
        session.plugins.register(progress, "progress")
        for plate in wanted.plates:
            orchestrator = wanted.orchestrator(plate, session)
            if fresh:
                # Compiled first: a pipeline with a mistake must not cost the results that are there.
                orchestrator.compile_pipelines(wanted.pipelines)
                orchestrator.clear()
            repeat = wanted.repeat_for(plate, orchestrator.output)
            run = attrs.evolve(signals, repeat=repeat, reestimate=reestimate)
            results.append(orchestrator.run(wanted.pipelines, options=run))
            if signals.stop.is_set():
                break
    if as_json:
        documents = [result.to_json(session.plugins) for result in results]
        print_json(documents[0] if len(documents) == 1 else documents)
    elif not quiet:
        for result in results:
            _say(result, wanted, verbose=options["verbose"])
    return _exit_code(results)


def _exit_code(results: list[RunResult]) -> int:
    """Return the exit code of several runs: interrupted before anything, then what went wrong most."""
    states = {result.status for result in results}
    if "interrupted" in states:
        return _EXIT_CODES["interrupted"]
    if states == {"failed"}:
        return _EXIT_CODES["failed"]
    return _EXIT_CODES["partial"] if states - {"ok"} else 0


def _say(result: RunResult, wanted: Asked, *, verbose: bool) -> None:
    ok = sum(record.status in {"ok", "cached"} for record in result.wells.values())
    wells = len(result.plan.wells) + len(result.plan.skipped_wells)
    click.echo(f"{result.plan.plate}: {ok} of {wells} wells done in {result.seconds:.1f} s.")
    for store in dict.fromkeys(output.store for output in result.plan.outputs) if ok else ():
        click.echo(f"  {result.output / store}")
    for path in result.artifacts.values():
        click.echo(f"  {path}")
    _say_absent(result, wanted)
    _say_estimates(result, wanted)
    if result.failed:
        click.echo(
            f"  {len(result.failed)} failed: {', '.join(record.well for record in result.failed[:_FAILED_SHOWN])}"
        )
        for record in result.failed if verbose else ():
            click.echo(record.fault.trace if record.fault else "", err=True)
        click.echo(f"  why, and how to repeat each: {result.output / 'failed.csv'}")
    if result.status in {"interrupted", "partial"}:
        plate = next(plate for plate in wanted.plates if plate.absolute().name == result.plan.plate)
        click.echo(f"  To go on: {shlex.join(wanted.repeat_for(plate, result.output))}")


def _say_absent(result: RunResult, wanted: Asked) -> None:
    """Say what was left out for absent planes, and where they are listed."""
    absent = sum(row.action != REPORTED for row in result.absent)
    if absent:
        skipped = [well for well, record in result.wells.items() if record.status == "skipped"]
        left_out = f"; {len(skipped)} well(s) skipped: {', '.join(skipped[:_FAILED_SHOWN])}" if skipped else ""
        table = result.output / wanted.config.path_planning.materialization_results_path / "planes.csv"
        click.echo(f"  {absent} plane(s) absent (missing: {result.plan.missing}){left_out}; listed in {table}")


def _say_estimates(result: RunResult, wanted: Asked) -> None:
    """Say what was estimated of the plate, and what could not be read or drawn of it."""
    results = result.output / wanted.config.path_planning.materialization_results_path
    for row in result.estimates if any(row.anew for row in result.estimates) else ():
        unreadable = row.estimate.unreadable
        left_out = f", {len(unreadable)} file(s) could not be read: {unreadable[0]}" if unreadable else ""
        failed = row.estimate.failed
        left_out += f", {len(failed)} well(s) failed. {failed[0]}" if failed else ""
        click.echo(f"  estimated {row.parameter} of {row.channel} from {row.estimate.planes} planes{left_out}")
    if result.estimates:
        click.echo(f"  what was estimated is listed in {results / 'estimates.csv'}")
    for why in dict.fromkeys(row.why_no_picture for row in result.estimates if row.why_no_picture):
        click.echo(f"  no picture of it: {why}")


@contextmanager
def _two_interrupts() -> Iterator[RunOptions]:
    """The first Ctrl-C (or SIGTERM) finishes the wells in hand, the second stops at once; tidying up is not cut."""
    options = RunOptions()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
        if options.finishing.is_set():
            return
        if options.stop.is_set():
            raise KeyboardInterrupt
        options.stop.set()
        click.echo("finishing the wells in hand; once more stops at once.", err=True)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield options
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
