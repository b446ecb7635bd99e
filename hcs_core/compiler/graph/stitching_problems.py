"""What is wrong with a step that stitches: where it stands, and what is not known of the sites' positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hcs_core.compiler.given_positions import GivenPositions
from hcs_core.compiler.graph.lanes import Lane
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.source.mosaic_shapes import known_centres
from hcs_core.pipeline.step import FunctionCall, Step
from hcs_core.plate.inventory import Plate

_MOST_NAMED = 8


def misplaced(step: Step, call: FunctionCall, lanes: Sequence[Lane]) -> list[Problem]:
    """Return why a step cannot stitch where it stands."""
    place = {"step": step.name, "function": call.label}
    wrong = []
    if step.group_by is not None or len(step.calls) > 1:
        wrong.append(
            Problem(**place, message="it is part of a list or of a dict.", hint="Write it as a step of its own.")
        )
    for option in ("variable_components", "memory", "device"):
        if getattr(step, option):
            message = "a stitcher takes the sites of a well as numpy arrays, and nothing else."
            wrong.append(Problem(**place, parameter=option, message=message, hint=f"Leave {option} out."))
    if any(lane.image.is_mosaic for lane in lanes):
        wrong.append(Problem(**place, message="the sites are stitched already.", hint="Leave it out."))
    return wrong


def sites_are_gone(step: Step, function: str, what: str) -> Problem:
    """Return that a step works on the sites of a well, of which there is one mosaic now."""
    return Problem(
        step=step.name,
        function=function,
        message=f"{what}, and after `stitch` a well has one image.",
        hint="Put it before `stitch`.",
    )


def unknown_positions(step: Step, plan: Plan, plate: Plate) -> list[Problem]:
    """Return a problem where a well has several sites and not the position of each; one alone may lie anywhere."""
    several = [(well, shape) for well, index in plan.wells if len(shape := plan.well_shapes[index].sites) > 1]
    if not several:
        return []
    hint = "Give their positions in a table, `stitch: {positions_file: ...}`, or select one site."
    if plate.pixel_size_um is None:
        message = "the pixel size of the plate is not known, and so not how many pixels the sites lie apart."
        return [Problem(step=step.name, message=message, hint=hint)]
    known = known_centres(plate)
    unknown = [f"{well} site {site}" for well, sites in several for site in sites if (well, site) not in known]
    if not unknown:
        return []
    message = f"it is not known where {_listed(unknown)} lie: neither an index nor a header says it."
    return [Problem(step=step.name, message=message, hint=hint)]


def unlisted_positions(place: Mapping[str, str], plan: Plan, given: GivenPositions) -> Problem | None:
    """Return a problem where a table of positions is not that of this plate's wells and sites, or `None`."""
    unlisted = list(_unlisted(plan, given))
    if not unlisted:
        return None
    return Problem(
        **place,
        message=f"it has no position of {_listed(unlisted)}.",
        hint="Add the rows, or select the sites that it has.",
    )


def _unlisted(plan: Plan, given: GivenPositions) -> Iterator[str]:
    for well, index in plan.wells:
        there = given.of(well)
        for site in plan.well_shapes[index].sites:
            if site not in there:
                yield f"{well} site {site}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
