"""`hcs plan`: what a run would do, and every problem at once; nothing is made."""

from __future__ import annotations

from typing import Any

import click

from hcs_core.cli.columns import terminal_width
from hcs_core.cli.plan_text import plan_document, plan_text
from hcs_core.cli.run_options import Asked, asked, run_options
from hcs_core.cli.session import Session, print_json
from hcs_core.compiler.plan import Plan
from hcs_core.runtime.output_folder import check_same_run


@click.command(name="plan")
@run_options
@click.pass_obj
def plan_command(session: Session, /, **options: Any) -> int:
    """Say what a run of PIPELINE on each PLATE would do, and every problem at once; nothing is made."""
    return show_plans(session, asked(options), as_json=options["as_json"], quiet=options["quiet"])


def show_plans(session: Session, wanted: Asked, *, as_json: bool, quiet: bool) -> int:
    """Print the plan of each plate; return 1 where one has problems."""
    plans = []
    for plate in wanted.plates:
        orchestrator = wanted.orchestrator(plate, session)
        plan = orchestrator.plan(wanted.pipelines, draft=True)
        if not plan.problems:
            check_same_run(orchestrator.output, plan.pipeline, plan.content_key)
        plans.append(plan)
        if not as_json and not quiet:
            click.echo(plan_text(plan, str(orchestrator.output), terminal_width()))
        _print_problems(plan, as_json)
    if as_json:
        documents = [plan_document(plan) for plan in plans]
        print_json(documents[0] if len(documents) == 1 else documents)
    return 1 if any(plan.problems for plan in plans) else 0


def _print_problems(plan: Plan, as_json: bool) -> None:
    if plan.problems and not as_json:
        click.echo(f"error: {plan.pipeline!r} cannot run on {plan.plate!r}:", err=True)
        for problem in plan.problems:
            click.echo(f"  - {problem}", err=True)
