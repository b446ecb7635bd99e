"""The paths pass: what each step makes, its name and place, its axes, shape and dtype, and whether it is kept.

All of that follows from operations, never from the kernel that computes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.compiler.building import Builder
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.lanes import ZARR, groups, kept_outputs, source_lanes
from hcs_core.compiler.plan import OutputPlan, Plan, Problem, StepPlan
from hcs_core.compiler.refusals import refusals
from hcs_core.compiler.source_image import with_source
from hcs_core.errors import UnknownNameError
from hcs_core.pipeline.step import Step


def paths_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with its sources, nodes, steps and kept outputs."""
    plan = with_source(plan, given)
    builder = Builder(plan, given)
    enabled = [step for pipeline in given.pipelines_of(plan) for step in pipeline.steps if step.enabled]
    if not plan.sources:
        # Shapes are unknown, but names and parameters can be checked: all problems are told at once.
        for step in enabled:
            builder.check_calls(step, step.calls)
        return plan.with_problems(*builder.problems, *_clashes(_saved(enabled, given), [_main_store(given)]))
    lanes = source_lanes(plan)
    steps: list[StepPlan] = []
    outputs: list[OutputPlan] = []
    suffix = _suffix(given)
    for step in enabled:
        first = len(builder.nodes)
        lanes = builder.add_step(step, lanes)
        nodes = tuple(range(first, len(builder.nodes)))
        steps.append(StepPlan(name=step.name, nodes=nodes, images=tuple(group.image for group in groups(lanes))))
        if step.save:
            store, projections = f"{step.name}{suffix}", f"{step.name}_projections{suffix}"
            outputs.extend(kept_outputs(step.name, lanes, store, projections))
    store = _main_store(given)
    last = steps[-1].name if steps else ""
    saved = len(outputs)
    outputs.extend(kept_outputs(last, lanes, store, f"projections{suffix}"))
    plan = attrs.evolve(plan, nodes=tuple(builder.nodes), steps=tuple(steps), outputs=tuple(outputs))
    clashes = _clashes(
        [(output.step, output.store) for output in outputs[:saved]], [output.store for output in outputs[saved:]]
    )
    return plan.with_problems(*builder.problems, *clashes, *refusals(plan, builder.doubtful))


def _suffix(given: CompileInput) -> str:
    """Return what the names of kept stores end with; a backend that is not there is the next passes' business."""
    try:
        return given.plugins.storage_backends.get(given.config.vfs.materialization_backend).suffix
    except UnknownNameError:
        return ZARR


def _main_store(given: CompileInput) -> str:
    suffix = _suffix(given)
    return given.config.zarr.store_name if suffix == ZARR else f"images{suffix}"


def _saved(enabled: Sequence[Step], given: CompileInput) -> list[tuple[str, str]]:
    """Return the steps that are kept with the names of their stores, as far as names alone tell them."""
    return [(step.name, f"{step.name}{_suffix(given)}") for step in enabled if step.save]


def _clashes(saved: Sequence[tuple[str, str]], results: Sequence[str]) -> list[Problem]:
    """Return a problem for each kept step, given with a store, that would be written where something else is."""
    problems = []
    whose = dict.fromkeys(results, "the results")
    for step, store in saved:
        if store in whose:
            problems.append(
                Problem(
                    step=step,
                    message=f"its output {store!r} has the name of another one, that of {whose[store]}.",
                    hint="Give the step another `name`.",
                    found=store,
                    expected="a name that no other output has",
                )
            )
        whose.setdefault(store, f"step {step!r}")
    return problems
