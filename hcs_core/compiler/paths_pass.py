"""The paths pass: what each step makes, its name and place, its axes, shape and dtype, and whether it is kept.

All of that follows from operations, never from the kernel that computes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.compiler.building import Builder
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.lanes import ZARR, groups, kept_outputs, source_lanes
from hcs_core.compiler.mosaic_shapes import with_canvases
from hcs_core.compiler.plan import OutputPlan, Plan, Problem, StepPlan
from hcs_core.compiler.refusals import refusals
from hcs_core.compiler.source_image import with_source
from hcs_core.errors import UnknownNameError


def paths_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with its sources, nodes, steps and kept outputs."""
    plan = with_source(plan, given)
    builder = Builder(plan, given)
    enabled = [step for step in given.pipeline.steps if step.enabled]
    if not plan.sources:
        # Shapes are unknown, but names and parameters can be checked: all problems are told at once.
        for step in enabled:
            builder.check_calls(step, step.calls)
        return plan.with_problems(*builder.problems)
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
    store = given.config.zarr.store_name if suffix == ZARR else f"images{suffix}"
    last = steps[-1].name if steps else ""
    outputs.extend(builder.stitching.outputs(last, lanes, store, f"projections{suffix}"))
    plan = attrs.evolve(plan, nodes=tuple(builder.nodes), steps=tuple(steps), outputs=tuple(outputs))
    plan = with_canvases(plan, given.plate, builder.stitching.frames)
    problems = [*builder.problems, *_clashes(outputs)]
    return plan.with_problems(*problems, *(() if problems else refusals(plan)))


def _suffix(given: CompileInput) -> str:
    """Return what the names of kept stores end with; a backend that is not there is the next passes' business."""
    try:
        return given.plugins.storage_backends.get(given.config.vfs.materialization_backend).suffix
    except UnknownNameError:
        return ZARR


def _clashes(outputs: Sequence[OutputPlan]) -> list[Problem]:
    return [
        Problem(
            step=output.step,
            message=f"its output {output.store!r} has the name of another one.",
            hint="Give the step another `name`.",
        )
        for index, output in enumerate(outputs)
        # The mosaics of a step's images lie in the store of these.
        if (output.store, output.image.is_mosaic)
        in {(other.store, other.image.is_mosaic) for other in outputs[:index]}
    ]
