"""`compile_plan`: an empty plan goes through the passes, and comes out whole or with all its problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from hcs_core.compiler.definitions import definition_digest
from hcs_core.compiler.graph.operations import Images
from hcs_core.compiler.machine import Existing, Machine
from hcs_core.compiler.pass_order import ordered_passes
from hcs_core.compiler.plan import Plan
from hcs_core.errors import CompileError, PluginError
from hcs_core.pipeline.config import GlobalPipelineConfig
from hcs_core.pipeline.definition import Definition, pipelines_of
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Step
from hcs_core.plate.inventory import Plate
from hcs_core.plugins.manager import PluginManager


@attrs.frozen(kw_only=True, eq=False)
class CompileInput:
    """Everything that a pass may look at; nothing of it is ever changed."""

    pipelines: tuple[Pipeline, ...]
    plate: Plate
    config: GlobalPipelineConfig
    plugins: PluginManager
    machine: Machine
    existing: Existing
    images: Mapping[str, Images] = attrs.field(factory=dict)

    def step_name(self, pipeline: Pipeline, step: Step) -> str:
        """Return how the plan names a step: by its own name, or as `pipeline/step` where there are several."""
        return step.name if len(self.pipelines) == 1 else f"{pipeline.name}/{step.name}"

    def pipelines_of(self, plan: Plan) -> tuple[Pipeline, ...]:
        """Return the pipelines to compile: what was given, or what an earlier pass put in its place."""
        return plan.rewritten or self.pipelines


CompilerPass = Callable[[Plan, CompileInput], Plan]
"""A pure function from plan to plan; what is wrong goes into the plan's problems."""


def compile_plan(
    pipeline: Definition,
    plate: Plate,
    config: GlobalPipelineConfig,
    plugins: PluginManager,
    machine: Machine | None = None,
    existing: Existing | None = None,
    images: Mapping[str, Images] | None = None,
) -> Plan:
    """Return the plan of a pipeline for a plate; pure: the same arguments give the same plan.

    Parameters
    ----------
    pipeline, plate, config
        What is to be done, to what, and how; several pipelines come into one plan, one after the other.
    plugins
        Where operations, backends and passes are registered.
    machine
        What the machine offers; by default one core.
    existing
        What the output holds already; by default nothing.
    images
        The image files that pipelines name, by the pipeline and their names in it: the image, or why it cannot be
        read (see `read_images`).

    Raises
    ------
    CompileError
        The plan has problems; the text lists them all.
    """
    return without_problems(draft_plan(pipeline, plate, config, plugins, machine, existing, images))


def without_problems(plan: Plan) -> Plan:
    """Return a plan that has no problems.

    Raises
    ------
    CompileError
        It has some; the text lists them all.
    """
    if plan.problems:
        count = len(plan.problems)
        listed = "\n".join(f"  - {problem}" for problem in plan.problems)
        raise CompileError(
            f"{plan.pipeline!r} cannot run on {plan.plate!r}: {count} problem{'s' * (count > 1)}.\n{listed}"
        )
    return plan


def draft_plan(
    pipeline: Definition,
    plate: Plate,
    config: GlobalPipelineConfig,
    plugins: PluginManager,
    machine: Machine | None = None,
    existing: Existing | None = None,
    images: Mapping[str, Images] | None = None,
) -> Plan:
    """Return the plan with its problems, for those who show it; `compile_plan` refuses one that has any."""
    pipelines = pipelines_of(pipeline)
    given = CompileInput(
        pipelines=pipelines,
        plate=plate,
        config=config,
        plugins=plugins,
        machine=machine or Machine(),
        existing=existing or Existing(),
        images=images or {},
    )
    plan = Plan(
        plate=plate.name,
        microscope=plate.microscope,
        inventory_digest=plate.digest(),
        pipeline=" + ".join(one.name for one in pipelines),
        pipelines=tuple(one.name for one in pipelines),
        definition=definition_digest(pipelines),
        missing=str(pipelines[0].missing or config.missing),
    )
    plan = attrs.evolve(plan, asked=_step_names(given))
    for spec in ordered_passes(plugins):
        run: CompilerPass = plugins.compiler_passes.load(spec.name)
        plan = _checked(run(plan, given), spec.name, given)
    return _continued(attrs.evolve(plan, rewritten=()), given.existing)


def _continued(plan: Plan, existing: Existing) -> Plan:
    """Return the plan with what is there already, where the same content made it; estimates go by their own keys."""
    keys = map(plan.estimate_key, plan.reductions)
    plan = attrs.evolve(plan, estimated=tuple(key for key in keys if key in existing.estimates))
    if plan.content_key != existing.content_key:
        return plan
    return attrs.evolve(
        plan,
        done=tuple(well for well in plan.well_names if well in existing.wells),
        redo=tuple((well, existing.stale[well]) for well in plan.well_names if well in existing.stale),
    )


def _step_names(given: CompileInput) -> tuple[str, ...]:
    return tuple(
        given.step_name(pipeline, step) for pipeline in given.pipelines for step in pipeline.steps if step.enabled
    )


def _checked(made: object, name: str, given: CompileInput) -> Plan:
    """Return what a pass made, if it is a plan, of the pipelines that were given."""
    owner = given.plugins.compiler_passes.owner(name)
    if not isinstance(made, Plan):
        raise PluginError(f"the compiler pass {name!r} of {owner} returned no Plan: report it to its authors.")
    names = [pipeline.name for pipeline in given.pipelines]
    if made.rewritten and [pipeline.name for pipeline in made.rewritten] != names:
        raise PluginError(
            f"the compiler pass {name!r} of {owner} puts other pipelines in place than {', '.join(names)}: it may "
            "change their steps alone; report it to its authors."
        )
    return made
