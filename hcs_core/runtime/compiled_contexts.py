"""What contexts are of: the plan that they share, for the plate and the pipelines that they are executed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from hcs_core.compiler.definitions import definition_digest
from hcs_core.compiler.plan import Plan
from hcs_core.errors import RunError
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.plate.inventory import Plate
from hcs_core.runtime.context import ProcessingContext


def shared_plan(contexts: Mapping[str, ProcessingContext]) -> Plan:
    """Return the plan that contexts share, for their wells alone.

    Raises
    ------
    RunError
        There are none, or they are of several plans.
    """
    if not contexts:
        raise RunError("there is nothing to execute: call compile_pipelines(steps) and pass what it returns.")
    plan = next(iter(contexts.values())).plan
    if any(context.plan is not plan and context.plan != plan for context in contexts.values()):
        raise RunError(
            "the contexts were compiled by several calls: pass what one call of compile_pipelines returned."
        )
    if len(contexts) == len(plan.wells):
        return plan
    wells = {context.well for context in contexts.values()}
    return attrs.evolve(
        plan,
        wells=tuple(pair for pair in plan.wells if pair[0] in wells),
        done=tuple(well for well in plan.done if well in wells),
        skipped_wells=(),
    )


def check_belonging(plan: Plan, plate: Plate, pipelines: Sequence[Pipeline]) -> None:
    """Refuse a plan of another plate, or of other pipelines.

    Raises
    ------
    RunError
        It is one.
    """
    if plan.inventory_digest != plate.digest():
        raise RunError(
            f"the contexts were compiled for another plate than {plate.root}, or before its files changed: "
            "call compile_pipelines again, and pass what it returns."
        )
    if plan.definition != definition_digest(pipelines):
        raise RunError(
            "the contexts were compiled from another pipeline than the one given: call compile_pipelines with it, "
            "and pass what it returns."
        )
