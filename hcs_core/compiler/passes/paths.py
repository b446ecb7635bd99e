"""The paths pass: what each step makes, its name and place, its axes, shape and dtype, and whether it is kept.

All of that follows from operations, never from the kernel that computes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.graph.building import Builder
from hcs_core.compiler.graph.estimating import with_stages
from hcs_core.compiler.graph.inputs import Inputs
from hcs_core.compiler.graph.lanes import ZARR, groups, kept_outputs, source_lanes
from hcs_core.compiler.graph.refusals import refusals
from hcs_core.compiler.order.pulling import running_nodes
from hcs_core.compiler.passes.store_names import StoreNames
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.source.mosaic_shapes import with_canvases
from hcs_core.compiler.source.source_image import with_source
from hcs_core.compiler.step_plan import OutputPlan, StepPlan
from hcs_core.errors import PlateError, UnknownNameError
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Step
from hcs_core.plate.wells import select_wells


def paths_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with its sources, nodes, steps and kept outputs."""
    plan = with_source(plan, given)
    paths = _Paths(plan, given)
    for place, pipeline in enumerate(paths.pipelines):
        paths.add(place, pipeline)
    builder = paths.builder
    # The last end's name is the configuration's: of two that clash, the other is the one to rename.
    problems = [*builder.problems, *_clashes([*reversed(paths.ends), *paths.kept])]
    if not plan.sources:
        # Shapes are unknown, but names and parameters could be checked: all problems are told at once.
        return plan.with_problems(*problems)
    nodes, artifacts, unmade = builder.artifacts.finish(builder.nodes)
    plan = attrs.evolve(
        plan, nodes=nodes, steps=tuple(paths.steps), outputs=tuple(paths.outputs), artifacts=artifacts
    )
    plan = with_canvases(plan, given.plate, builder.stitching.frames)
    # Beside a step that is wrong itself, who would have taken up what is not known.
    for_nothing = () if builder.problems or unmade else _for_nothing(plan)
    plan = plan.with_problems(*problems, *unmade, *for_nothing, *refusals(plan, builder.doubtful))
    return plan if builder.problems or unmade else with_stages(plan, given)


class _Paths:
    """Collects steps and kept outputs, pipeline by pipeline, and what is wrong with them."""

    def __init__(self, plan: Plan, given: CompileInput) -> None:
        self._plan = plan
        self._given = given
        self.pipelines = given.pipelines_of(plan)
        self._inputs = Inputs(self.pipelines)
        suffix = _suffix(given)
        last = given.config.zarr.store_name if suffix == ZARR else f"images{suffix}"
        self._names = StoreNames(self.pipelines, last, suffix)
        self.builder = Builder(plan, given)
        self.steps: list[StepPlan] = []
        self.outputs: list[OutputPlan] = []
        self.ends: list[_Place] = []
        self.kept: list[_Place] = []

    def add(self, place: int, pipeline: Pipeline) -> None:
        """Add a pipeline's steps and what is kept of it."""
        self.builder.begin(self._given.images.get(pipeline.name, {}))
        self._inputs.begin(source_lanes(self._plan, place) if self._plan.sources else ())
        enabled = [step for step in pipeline.steps if step.enabled]
        for step in enabled:
            self._step(pipeline, step)
        lanes = self._inputs.end()
        last = self._given.step_name(pipeline, enabled[-1]) if enabled else ""
        names = self._names.final(pipeline)
        images = self.builder.stitching.left(lanes)
        made = [output for image in images for output in kept_outputs(last, image, names, pipeline=pipeline.name)]
        self.outputs += made
        whose = f"the pipeline {pipeline.name!r}" if len(self.pipelines) > 1 else "the results"
        hint = "Give the pipeline another `name`."
        # The mosaics of images lie in the stores of these.
        stores = dict.fromkeys([output.store for output in made] or names[:1])
        self.ends += [_Place(store=store, step=last, whose=whose, hint=hint) for store in stores]

    def _step(self, pipeline: Pipeline, step: Step) -> None:
        shown = step.renamed(self._given.step_name(pipeline, step))
        builder = self.builder
        first = len(builder.nodes)
        taken = self._inputs.of(step, shown.name)
        if isinstance(taken, Problem):
            builder.problems.append(taken)
        reads, lanes = ("", ()) if isinstance(taken, Problem) else taken
        if lanes:
            lanes = builder.add_step(shown, lanes)
        else:
            builder.check_calls(shown, shown.calls)
        self._inputs.note(step, shown.name, lanes)
        wells = self._wells(shown)
        images = tuple(group.image for group in groups(lanes))
        nodes = tuple(range(first, len(builder.nodes)))
        self.steps.append(StepPlan(name=shown.name, nodes=nodes, images=images, pipeline=pipeline.name, reads=reads))
        if step.save:
            names = self._names.kept(pipeline, step)
            made = kept_outputs(shown.name, lanes, names, wells, pipeline.name)
            self.outputs += made
            stores = [output.store for output in made] or names[:1]
            self.kept += [_Place(store=store, step=shown.name, whose=f"step {shown.name!r}") for store in stores]

    def _wells(self, step: Step) -> tuple[str, ...] | None:
        """Return the wells of the plate for which a step is kept: those of a run may be fewer."""
        if step.wells is None:
            return None
        try:
            return select_wells(step.wells, self._given.plate.wells)
        except PlateError as error:
            self.builder.problems.append(Problem(step=step.name, parameter="wells", message=str(error)))
            return None


def _for_nothing(plan: Plan) -> list[Problem]:
    """Return a problem for each step whose work nothing takes up."""
    needed = running_nodes(plan, range(len(plan.outputs)))
    return [
        Problem(
            step=step.name,
            message="nothing takes up what it makes.",
            hint="Write `save: true` to keep it, let a step have it for its `input`, or leave the step out.",
        )
        for step in plan.steps
        if step.nodes and needed.isdisjoint(step.nodes)
    ]


def _suffix(given: CompileInput) -> str:
    """Return what the names of kept stores end with; a backend that is not there is the next passes' business."""
    try:
        return given.plugins.storage_backends.get(given.config.vfs.materialization_backend).suffix
    except UnknownNameError:
        return ZARR


@attrs.frozen(kw_only=True)
class _Place:
    """Where something is kept: its store, whose it is, in words too, and what could be done about its name."""

    store: str
    step: str
    whose: str
    hint: str = "Give the step another `name`."


def _clashes(places: Sequence[_Place]) -> list[Problem]:
    """Return a problem for each place at which something before it in the sequence is kept too."""
    problems = []
    whose: dict[str, str] = {}
    for place in places:
        if place.store in whose:
            problems.append(
                Problem(
                    step=place.step,
                    message=f"its output {place.store!r} has the name of another one, that of {whose[place.store]}.",
                    hint=place.hint,
                    found=place.store,
                    expected="a name that no other output has",
                )
            )
        whose.setdefault(place.store, place.whose)
    return problems
