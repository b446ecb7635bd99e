"""What a run is asked for: one pipeline or several, as pipelines or as bare lists of steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from hcs_core.errors import PipelineError
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Step
from hcs_core.plate.wells import WellFilter

Steps = Pipeline | Sequence[Step]
"""A pipeline, or its steps."""

Definition = Steps | Sequence[Steps]
"""A pipeline or its steps, or several of these, which run one after the other in each well."""

UNNAMED = "pipeline"
"""What a list of steps is called; the second of several is `pipeline_2`."""


def pipelines_of(definition: Definition | Iterable[Steps]) -> tuple[Pipeline, ...]:
    """Return the pipelines that are meant; an empty list is one without steps, which converts the plate as it is.

    Raises
    ------
    PipelineError
        It is none of what it can be.

    Examples
    --------
    >>> from hcs_core import Pipeline, Step
    >>> [pipeline.name for pipeline in pipelines_of([Pipeline("a"), [Step("max_projection")]])]
    ['a', 'pipeline']
    """
    if isinstance(definition, Pipeline):
        return (definition,)
    given: object = definition
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise PipelineError(
            f"{definition!r} is no pipeline: give a Pipeline, a list of steps, or a list of several pipelines."
        )
    items: list[Any] = list(given)
    steps = [item for item in items if isinstance(item, Step)]
    if len(steps) == len(items):
        return (Pipeline(UNNAMED, steps),)
    if steps:
        raise PipelineError(
            f"a list holds steps ({steps[0].name!r}) beside pipelines: put the steps into a Pipeline of their own."
        )
    return tuple(_named(items))


def pipelines_of_run(pipelines: Pipeline | Iterable[Steps]) -> tuple[Pipeline, ...]:
    """Return the pipelines of a run, at least one.

    Raises
    ------
    PipelineError
        There is none, or one of them is no pipeline.
    """
    listed = pipelines if isinstance(pipelines, Pipeline) else list(pipelines)
    if not listed:
        raise PipelineError("run() got no pipeline: give one or several, as in run(pipelines=[pipeline]).")
    return pipelines_of(listed)


def _named(items: Sequence[Steps]) -> Iterable[Pipeline]:
    number = 0
    for item in items:
        if isinstance(item, Pipeline):
            yield item
            continue
        (made,) = pipelines_of(item)
        number += 1
        yield made if number == 1 else attrs.evolve(made, name=f"{UNNAMED}_{number}")


def with_wells(pipelines: Iterable[Pipeline], well_filter: WellFilter | None) -> tuple[Pipeline, ...]:
    """Return the pipelines with a filter of wells in place of their own; `None` leaves them as they are."""
    if well_filter is None:
        return tuple(pipelines)
    wells = well_filter if isinstance(well_filter, str | int) else tuple(well_filter)
    return tuple(attrs.evolve(pipeline, select=attrs.evolve(pipeline.select, wells=wells)) for pipeline in pipelines)
