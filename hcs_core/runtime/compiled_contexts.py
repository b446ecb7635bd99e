"""The contexts that somebody gives to be executed: checked, and put together into the plan of their wells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from hcs_core.compiler.definitions import definition_digest
from hcs_core.compiler.passes.stores import size_function, with_sizes
from hcs_core.compiler.plan import Plan
from hcs_core.errors import ConfigError, RunError
from hcs_core.pipeline.config import MOST_WORKERS
from hcs_core.pipeline.difference import difference
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.plate.inventory import Plate
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.context import ProcessingContext

_COMPILE = "call compile_pipelines(steps) and pass what it returns"


def given_plan(
    contexts: Mapping[str, ProcessingContext], pipelines: Sequence[Pipeline], plate: Plate, plugins: PluginManager
) -> Plan:
    """Return the plan of the wells that contexts are given for; a part of those that were compiled will do.

    Raises
    ------
    RunError
        There is no context, something else than contexts was given, they come from several compilations, or they
        were compiled from another pipeline, for another plate, or for what the plate was before it changed.
    """
    if not contexts:
        raise RunError(f"there is nothing to execute: {_COMPILE}.")
    _check_types(contexts)
    first = next(iter(contexts.values()))
    plan = first.plan
    for context in contexts.values():
        if context.plan is not plan and context.plan != plan:
            raise RunError(
                f"the contexts of wells {first.well} and {context.well} are of two compilations: execute each apart."
            )
    _check_plate(plan, plate)
    if plan.definition != definition_digest(pipelines):
        versions = {(node.step, node.operation): node.version for node in plan.nodes}
        differs = difference(first.pipelines, pipelines, versions)
        raise RunError(
            f"the contexts were compiled from another pipeline than the one given ({differs}): {_COMPILE}."
        )
    return _of_wells(plan, {context.well for context in contexts.values()}, plugins)


def _check_types(contexts: Any) -> None:
    wrong: Any = contexts if not isinstance(contexts, Mapping) else None
    if isinstance(contexts, Mapping):
        wrong = next((item for item in contexts.values() if not isinstance(item, ProcessingContext)), None)
    if wrong is not None:
        raise RunError(f"{type(wrong).__name__} is no context of a well: {_COMPILE}, or a part of that dict.")
    for key, context in contexts.items():
        if key != context.well:
            raise RunError(f"the context of well {context.well} is given for {key!r}: {_COMPILE}, or a part of it.")


def _check_plate(plan: Plan, plate: Plate) -> None:
    if plan.inventory_digest == plate.digest():
        return
    if (plan.plate, plan.microscope) == (plate.name, plate.microscope):
        raise RunError(
            f"the plate {plate.name!r} is not what it was when the contexts were compiled (it was listed anew since, "
            f"and its files differ, or it is another plate of that name): {_COMPILE}."
        )
    raise RunError(
        f"the contexts were compiled for the plate {plan.plate!r} ({plan.microscope}), and this is {plate.name!r} "
        f"({plate.microscope}): {_COMPILE}."
    )


def _of_wells(plan: Plan, wells: set[str], plugins: PluginManager) -> Plan:
    """Return the plan for some of its wells; the plan itself where these are all of them."""
    kept = tuple((well, shape) for well, shape in plan.wells if well in wells)
    if len(kept) == len(plan.wells):
        return plan
    part = attrs.evolve(
        plan,
        wells=kept,
        done=tuple(well for well in plan.done if well in wells),
        skipped_wells=(),
        skipped_sites=tuple((well, site) for well, site in plan.skipped_sites if well in wells),
        workers=min(plan.workers, len(kept)),
        worker_devices=plan.worker_devices[: len(kept)],
    )
    return with_sizes(part, size_function(plan.outputs[0].backend, plugins)) if plan.outputs else part


def checked_workers(max_workers: Any) -> int:
    """Return a number of workers.

    Raises
    ------
    ConfigError
        It is none.
    """
    if isinstance(max_workers, int) and not isinstance(max_workers, bool) and 1 <= max_workers <= MOST_WORKERS:
        return max_workers
    raise ConfigError(f"max_workers={max_workers!r}: expected a whole number from 1 to {MOST_WORKERS}.")
