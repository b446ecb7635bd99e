"""The pass: it looks at what `paths` has made of the steps, and says what the house does not allow."""

from hcs_core import CompileInput, Plan, Problem

RESCALING = "percentile_normalize"


def house_rules(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a problem for each step that rescales intensities."""
    steps = dict.fromkeys(node.step for node in plan.nodes if node.operation == RESCALING)
    return plan.with_problems(
        *(
            Problem(
                step=step,
                function=RESCALING,
                message="the house measures intensities, and this rescales them.",
                hint="Leave it out, and set the contrast in the viewer.",
                found=RESCALING,
                expected="steps that keep intensities",
            )
            for step in steps
        )
    )
