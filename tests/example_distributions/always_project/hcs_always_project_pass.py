"""The pass: it stands before `paths`, and gives it other pipelines to compile."""

import attrs

from hcs_core import CompileInput, Pipeline, Plan, Step


def always_project(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a projection at the end of each of its pipelines that has none."""
    return attrs.evolve(plan, rewritten=tuple(map(projected, given.pipelines_of(plan))))


def projected(pipeline: Pipeline) -> Pipeline:
    """Return a pipeline that projects z."""
    if any(call.label == "max_projection" for step in pipeline.steps if step.enabled for call in step.calls):
        return pipeline
    return attrs.evolve(pipeline, steps=(*pipeline.steps, Step("max_projection", name="always_project")))
