"""The pass: it stands before `paths`, and gives it another pipeline to compile."""

import attrs

from hcs_core import CompileInput, Plan, Step


def always_project(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a projection at the end of its pipeline, unless there is one."""
    pipeline = given.pipeline_of(plan)
    if any(call.label == "max_projection" for step in pipeline.steps if step.enabled for call in step.calls):
        return plan
    steps = (*pipeline.steps, Step("max_projection", name="always_project"))
    return attrs.evolve(plan, rewritten=attrs.evolve(pipeline, steps=steps))
