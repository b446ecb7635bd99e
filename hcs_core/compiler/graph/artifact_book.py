"""Artifacts by name: who makes each, who takes it, and what is wrong with that, collected while nodes are added.

An artifact is called as its operation says (`spots`); where several steps make that name, each is called after its
step (`measure_2.spots`). Branches of one step make one artifact, with a part for each place. The components over
which a maker is mapped must be among those over which a taker is mapped: then it gets the one part of its own place.
A finer table is joined in a fixed order; what is made for one channel only is every channel's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from hcs_core.compiler.artifact_plan import ORDER, ArtifactPlan, MadePlan, TakenPlan
from hcs_core.compiler.graph.operations import Resolved
from hcs_core.compiler.node_plan import NodePlan, Only
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.errors import did_you_mean
from hcs_core.pipeline.names import AXIS_OF
from hcs_core.pipeline.step import FunctionCall, Step
from hcs_core.plugins.artifact import ArtifactKind, Taken

_COMPONENT_OF = {axis: component for component, axis in AXIS_OF.items()}


@attrs.frozen(kw_only=True)
class _Part:
    """What one node makes of an artifact."""

    step: str
    function: str
    name: str
    kind: str
    index: int
    node: NodePlan

    @property
    def full_name(self) -> str:
        """Its name with that of its step, and where there are several pipelines that of its own, for a file too."""
        return f"{self.step.replace('/', '.')}.{self.name}"

    def is_called(self, name: str, by: str) -> bool:
        """Whether a step means it by a name; one of the same pipeline may leave that out."""
        pipeline, _, step = self.step.rpartition("/")
        own = pipeline == by.rpartition("/")[0]
        return name in {self.name, self.full_name} or (own and name == f"{step}.{self.name}")

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that tell its parts apart; none where it stacks them."""
        return tuple(channel.name for channel in self.node.input.channels) if "c" in self.node.over else ()


@attrs.frozen(kw_only=True)
class _Asked:
    """A name that no earlier step makes, and what is to be said if no later one does either."""

    name: str
    problem: Problem


class ArtifactBook:
    """The artifacts of the nodes of a plan so far."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._parts: list[_Part] = []
        self._asked: list[_Asked] = []
        self._announced: set[str] = set()

    def announce(self, step: Step, resolved: Resolved) -> None:
        """Note what a call would make that has problems of its own: who takes it needs no second one."""
        for made in resolved.signature.makes:
            self._announced.update({made.name, f"{step.name.rpartition('/')[2]}.{made.name}"})

    def make(self, step: Step, call: FunctionCall, resolved: Resolved, index: int, node: NodePlan) -> list[Problem]:
        """Note what a node makes; return what is wrong with it."""
        problems = []
        for made in resolved.signature.makes:
            part = _Part(
                step=step.name, function=call.label, name=made.name, kind=str(made.kind), index=index, node=node
            )
            before = [other for other in self._parts if other.full_name == part.full_name]
            wrong = next((text for other in before if (text := _clash(part, other))), "")
            if wrong:
                problems.append(
                    Problem(
                        step=step.name,
                        function=call.label,
                        message=wrong,
                        hint="Make them in two steps with names of their own: artifacts are called after them.",
                        found=f"{part.name} twice",
                        expected=f"{part.name} once",
                    )
                )
            self._parts.append(part)
        return problems

    def take(
        self, step: Step, call: FunctionCall, resolved: Resolved, node: NodePlan
    ) -> tuple[tuple[TakenPlan, ...], list[Problem]]:
        """Return what a node takes of what earlier ones make, and what is wrong with it."""
        given = dict(call.parameters)
        found: list[TakenPlan] = []
        problems: list[Problem] = []
        for taken in resolved.signature.takes:
            name = given.get(taken.keyword, taken.default)
            if not isinstance(name, str):
                continue  # That it is no name is told with the call's parameters.
            place = Problem(step=step.name, function=call.label, parameter=taken.keyword, message="")
            parts = self._named(name, place, problems)
            if not parts:
                continue
            problems += _unfit(self._plan, taken, parts, node, place)
            found.append(
                TakenPlan(
                    keyword=taken.keyword,
                    kind=str(taken.kind),
                    name=parts[0].full_name,
                    makers=tuple(part.index for part in parts),
                    shared=_is_shared(parts),
                )
            )
        return tuple(found), problems

    def _named(self, name: str, place: Problem, problems: list[Problem]) -> list[_Part]:
        """Return the parts of the artifact that a name means; none where that is unclear."""
        parts = [part for part in self._parts if part.is_called(name, place.step)]
        steps = list(dict.fromkeys(part.full_name for part in parts))
        if len(steps) > 1:
            problems.append(
                attrs.evolve(
                    place,
                    message=f"{name!r} is made by more than one step.",
                    hint=f"Write which one it takes: {place.parameter}: {' or '.join(steps)}.",
                    found=name,
                    expected=" or ".join(steps),
                )
            )
            return []
        if not parts and name not in self._announced:
            self._asked.append(_Asked(name=name, problem=place))
        return parts

    def finish(
        self, nodes: Sequence[NodePlan]
    ) -> tuple[tuple[NodePlan, ...], tuple[ArtifactPlan, ...], list[Problem]]:
        """Return the nodes with the names that artifacts have in the end, the artifacts, and what nobody makes."""
        steps_of: dict[str, set[str]] = {}
        for part in self._parts:
            steps_of.setdefault(part.name, set()).add(part.step)
        names = {
            part.full_name: part.name if len(steps_of[part.name]) == 1 else part.full_name for part in self._parts
        }
        made: dict[int, list[MadePlan]] = {}
        grouped: dict[str, list[_Part]] = {}
        for part in self._parts:
            name = names[part.full_name]
            made.setdefault(part.index, []).append(MadePlan(name=name, kind=part.kind))
            grouped.setdefault(name, []).append(part)
        renamed = tuple(
            attrs.evolve(
                node,
                makes=tuple(made.get(index, ())),
                takes=tuple(attrs.evolve(taken, name=names[taken.name]) for taken in node.takes),
            )
            for index, node in enumerate(nodes)
        )
        artifacts = tuple(
            ArtifactPlan(
                name=name,
                kind=parts[0].kind,
                makers=tuple(part.index for part in parts),
                over="".join(axis for axis in ORDER if any(axis in part.node.over for part in parts)),
            )
            for name, parts in grouped.items()
        )
        return renamed, artifacts, [self._nobody(asked) for asked in self._asked if asked.name not in self._announced]

    def _nobody(self, asked: _Asked) -> Problem:
        later = [part for part in self._parts if part.is_called(asked.name, asked.problem.step)]
        if later:
            message = f"{asked.name!r} is made only by the later step {later[0].step!r}."
            return attrs.evolve(
                asked.problem,
                message=message,
                hint=f"Put {later[0].step!r} before it.",
                found=asked.name,
                expected="what an earlier step makes",
            )
        there = list(dict.fromkeys(name for part in self._parts for name in (part.name, part.full_name)))
        makes = f"There are {', '.join(dict.fromkeys(part.name for part in self._parts))}." if there else ""
        return attrs.evolve(
            asked.problem,
            message=f"no step makes {asked.name!r}.{did_you_mean(asked.name, there)}",
            hint=makes or "Put a step that makes it before this one.",
            found=asked.name,
            expected=", ".join(there) or "what an earlier step makes",
        )


def _clash(part: _Part, other: _Part) -> str:
    """Return how two nodes make one name in a way that cannot be, or nothing."""
    if part.kind != other.kind:
        return f"{part.name!r} is made as {part.kind} by {part.function!r} and as {other.kind} by {other.function!r}."
    apart = part.channels and other.channels and not set(part.channels).intersection(other.channels)
    if apart or _apart(part.node.only, other.node.only):
        return ""
    channels = [name for name in part.channels if name in other.channels]
    where = f" for the channel {channels[0]!r}" if channels else ""
    return f"{part.name!r} is made twice{where}, by {other.function!r} before."


def _apart(one: Only | None, other: Only | None) -> bool:
    """Whether two nodes never work at the same place."""
    return one is not None and other is not None and one.component == other.component and one.value != other.value


def _is_shared(parts: Iterable[_Part]) -> bool:
    """Whether parts are made for one channel only: what no other channel has is everybody's."""
    return len({name for part in parts for name in part.channels}) == 1


def _unfit(plan: Plan, taken: Taken, parts: list[_Part], node: NodePlan, place: Problem) -> list[Problem]:
    """Return why a node cannot take these parts."""
    name = parts[0].name
    if str(taken.kind) != parts[0].kind:
        message = f"it takes {taken.kind}, and {name!r} of step {parts[0].step!r} is {parts[0].kind}."
        hint = "Name an artifact of that kind."
        return [attrs.evolve(place, message=message, hint=hint, found=parts[0].kind, expected=str(taken.kind))]
    shared = _is_shared(parts)
    finer = [
        axis for part in parts for axis in part.node.over if axis not in node.over and not (axis == "c" and shared)
    ]
    if finer and taken.kind != ArtifactKind.TABLE:
        component = _COMPONENT_OF[finer[0]]
        return [
            attrs.evolve(
                place,
                message=f"{name!r} is made for each {component}, and the step takes all of them at once.",
                hint=f"Only tables are joined: take it in a step that is mapped over {component} too.",
                found=f"one for each {component}",
                expected="one",
            )
        ]
    made_for = list(dict.fromkeys(channel for part in parts for channel in part.channels))
    if made_for and not shared and "c" in node.over:
        without = [channel.name for channel in node.input.channels if channel.name not in made_for]
        if without:
            message = f"{name!r} is made for {', '.join(made_for)}, and not for {', '.join(without)}."
            hint = f"Take it in a dict by channel for {made_for[0]}, or make it for every channel."
            found, expected = ", ".join(made_for), ", ".join(channel.name for channel in node.input.channels)
            return [attrs.evolve(place, message=message, hint=hint, found=found, expected=expected)]
    wrong = _elsewhere(plan, parts, node, finer)
    if not wrong:
        return []
    message = f"{name!r} is made {wrong}."
    hint = "Make it wherever it is taken."
    return [attrs.evolve(place, message=message, hint=hint, found=wrong, expected="wherever it is taken")]


def _elsewhere(plan: Plan, parts: list[_Part], node: NodePlan, finer: Sequence[str]) -> str:
    """Return where parts are made, in words, if a node works at other places too."""
    limits = [part.node.only for part in parts]
    first = limits[0]
    if first is None or any(only is None for only in limits):
        return ""
    values = {only.value for only in limits if only is not None}
    component = first.component
    if node.only is not None and node.only.component == component:
        there = {node.only.value}
    elif AXIS_OF.get(component) in finer:
        return ""
    else:
        every: dict[str, Iterable[str | int]] = {
            "well": plan.well_names,
            "site": (site for shape in plan.well_shapes for site in shape.sites),
            "z_index": node.input.z_indexes,
            "timepoint": node.input.timepoints,
        }
        there = set(every[component])
    listed = ", ".join(str(value) for value in sorted(values, key=str))
    return "" if there <= values else f"only at {component} {listed}"
