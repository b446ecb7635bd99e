"""What a step takes: the lanes of the step before, of the plate, or of what its `input` names."""

from __future__ import annotations

from collections.abc import Sequence

from hcs_core.compiler.graph.lanes import Lane
from hcs_core.compiler.problem import Problem
from hcs_core.errors import did_you_mean
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Step
from hcs_core.pipeline.step_options import START

_MOST_NAMED = 20


def reads_plate(pipeline: Pipeline) -> bool:
    """Whether a pipeline takes anything from the plate itself, and not only what others have left."""
    inputs = [step.input for step in pipeline.steps if step.enabled]
    return not inputs or inputs[0] in {None, START} or START in inputs


class Inputs:
    """What an `input` can name, pipeline by pipeline and step by step.

    An earlier step of the same pipeline goes by its name, one of an earlier pipeline by `pipeline/step`, and what an
    earlier pipeline leaves at its end by the pipeline's name.
    """

    def __init__(self, pipelines: Sequence[Pipeline]) -> None:
        self._pipelines = pipelines
        self._place = -1
        self._start: tuple[Lane, ...] = ()
        self._before: tuple[str, tuple[Lane, ...]] = (START, ())
        self._own: dict[str, tuple[str, tuple[Lane, ...]]] = {}
        self._earlier: dict[str, tuple[str, tuple[Lane, ...]]] = {}

    def begin(self, start: tuple[Lane, ...]) -> None:
        """Go on to the next pipeline, which takes these lanes from the plate."""
        self._place += 1
        self._start, self._before, self._own = start, (START, start), {}

    def end(self) -> tuple[Lane, ...]:
        """End a pipeline; return what it leaves."""
        name = self._pipelines[self._place].name
        self._earlier |= {f"{name}/{step}": left for step, left in self._own.items()} | {name: self._before}
        return self._before[1]

    def note(self, step: Step, shown: str, lanes: tuple[Lane, ...]) -> None:
        """Note what a step leaves; `shown` is its name in the plan."""
        self._before = (shown, lanes)
        self._own[step.name] = self._before

    def of(self, step: Step, shown: str) -> tuple[str, tuple[Lane, ...]] | Problem:
        """Return what a step takes, with its name in the plan, or why there is no such thing."""
        if step.input is None:
            return self._before
        if step.input == START:
            return START, self._start
        found = self._own.get(step.input) or self._earlier.get(step.input)
        return found or self._not_there(step, shown)

    def _not_there(self, step: Step, shown: str) -> Problem:
        there = [START, *self._own, *self._earlier]
        asked = str(step.input)
        own = {other.name: other.enabled for other in self._pipelines[self._place].steps}
        later = [
            name
            for pipeline in self._pipelines[self._place :]
            for name in (pipeline.name, *(f"{pipeline.name}/{other.name}" for other in pipeline.steps))
        ]
        if asked == step.name:
            why = "is the step itself."
        elif asked in own:
            why = "comes later in the pipeline." if own[asked] else "is a step that is not enabled."
        elif asked in later:
            why = "is not made when this step begins: a step takes what steps and pipelines before it left."
        else:
            why = f"is no step before it.{did_you_mean(asked, there)}"
        named = ", ".join(there[:_MOST_NAMED]) + (", ..." if len(there) > _MOST_NAMED else "")
        return Problem(
            step=shown,
            parameter="input",
            message=f"its input {asked!r} {why}",
            hint=f"It can be {named}.",
            found=asked,
            expected=named,
        )
