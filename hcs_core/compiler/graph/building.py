"""Building the graph of a pipeline: nodes and problems are collected while steps are added one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

import attrs

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.graph.artifact_book import ArtifactBook
from hcs_core.compiler.graph.estimating import estimates_of
from hcs_core.compiler.graph.lanes import Group, Lane, difference, groups, lanes_of, unknown
from hcs_core.compiler.graph.misfits import branched_twice, ill_fitting_images, misfit, no_such_key
from hcs_core.compiler.graph.operations import Images, Resolved, given_parameters, parameter_problems, resolve
from hcs_core.compiler.graph.output_image import output_image
from hcs_core.compiler.graph.stitching import Stitching, stitching_call
from hcs_core.compiler.graph.stitching_problems import sites_are_gone
from hcs_core.compiler.node_plan import NodePlan, Only
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.source.selected import channel_index
from hcs_core.errors import PlateError
from hcs_core.pipeline.step import Branch, FunctionCall, Step
from hcs_core.plate.wells import canonical_well
from hcs_core.plugins.signature import MissingPolicy


class Builder:
    """Adds steps to a plan; its lanes are handed on from step to step."""

    def __init__(self, plan: Plan, given: CompileInput) -> None:
        self._plan = plan
        self._given = given
        self.nodes: list[NodePlan] = []
        self.problems: list[Problem] = []
        self.artifacts = ArtifactBook(plan)
        self.doubtful: set[int] = set()
        """The nodes behind a call that could not be resolved: what they really get, nobody knows."""
        self._images: Images = {}
        self.stitching = Stitching(plan, given, self.nodes, self.problems)

    def begin(self, images: Images) -> None:
        """Go on to a pipeline that names these image files."""
        self._images = images
        self.stitching.begin(images)

    def check_calls(self, step: Step, calls: Iterable[FunctionCall]) -> None:
        """Check what can be checked of a step's calls without an image: operations and their parameters."""
        for call in calls:
            if call is stitching_call(step):
                self.stitching.check(step, call)
                continue
            resolved = self._resolve(step, call)
            if resolved is not None:
                self.artifacts.announce(step, resolved)

    def add_step(self, step: Step, lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
        """Add a step's nodes; return the lanes that it leaves."""
        stitching = stitching_call(step)
        if stitching is not None:
            return self.stitching.add(step, stitching, lanes)
        self._check_variable_components(step)
        if step.group_by is None:
            return self._chain(step, step.branches[0].calls, lanes)
        if step.group_by == "channel":
            return self._by_channel(step, lanes)
        return self._by_place(step, lanes)

    def _check_variable_components(self, step: Step) -> None:
        """Refuse components to stack where nothing stacks."""
        if not step.variable_components:
            return
        found = [resolve(step, call, self._given.plugins) for call in step.calls]
        if all(isinstance(one, Resolved) and one.signature.plane_wise for one in found):
            self.problems.append(
                Problem(
                    step=step.name,
                    parameter="variable_components",
                    message="it works plane by plane, and stacks nothing.",
                    hint="Leave variable_components out.",
                )
            )

    # --- Dicts by component ---------------------------------------------------------------------------------

    def _by_channel(self, step: Step, lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
        """Run a branch on each channel that is named; the others pass unchanged."""
        made: dict[int, Lane] = {}
        meant = True
        for branch in step.branches:
            index = self._lane_index(step, branch, lanes)
            meant = meant and index is not None
            if index is None or index in made:
                self.check_calls(step, branch.calls)
                if index is not None:
                    self.problems.append(branched_twice(step, branch, lanes[index].channel.name))
                continue
            # A call that needs all channels is refused: a branch is one lane from its beginning to its end.
            (made[index],) = self._chain(step, branch.calls, (lanes[index],))
        if not meant:
            # Some other channel was meant, and what would have become of it is not known.
            lanes = unknown(lanes)
        return tuple(made.get(index, lane) for index, lane in enumerate(lanes))

    def _lane_index(self, step: Step, branch: Branch, lanes: tuple[Lane, ...]) -> int | None:
        names = [lane.channel.name for lane in lanes]
        index = channel_index(str(branch.key), names, [lane.channel.number for lane in lanes])
        if index is None:
            self.problems.append(no_such_key(step, "channel", str(branch.key), names))
        return index

    def _by_place(self, step: Step, lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
        """Run a branch at each well, site, z_index or timepoint that is named; elsewhere planes pass unchanged."""
        component = str(step.group_by)
        if component == "site" and any(lane.image.is_mosaic for lane in lanes):
            self.problems.append(sites_are_gone(step, "", "it has a dict by site"))
            return lanes
        before = groups(lanes)
        seen: set[str | int] = set()
        for branch in step.branches:
            value = self._value(step, component, str(branch.key), lanes)
            if value is None or value in seen:
                self.check_calls(step, branch.calls)
                if value is not None:
                    self.problems.append(branched_twice(step, branch, str(value)))
                continue
            seen.add(value)
            lanes = self._chain(step, branch.calls, lanes, Only(component=component, value=value))
        after = groups(lanes)
        known = all(lane.known for lane in lanes)
        if known and [group.image for group in after] != [group.image for group in before]:
            what = difference(before[0].image, after[0].image) or "channels"
            self.problems.append(
                Problem(
                    step=step.name,
                    message=f"its branches by {component} change the image ({what}); elsewhere it stays as it was.",
                    hint="By anything but channel, a branch has to leave z, shape, dtype and channels as they are.",
                )
            )
        return lanes

    def _value(self, step: Step, component: str, key: str, lanes: tuple[Lane, ...]) -> str | int | None:
        """Return the well, or the number, that a key names; what is not there is a problem."""
        there: list[str | int]
        if component == "well":
            there = [*self._plan.well_names, *self._plan.skipped_wells]
            with contextlib.suppress(PlateError):  # What is no well's name is none of those that are there.
                key = canonical_well(key)
            # Another well of the plate is no mistake: `--wells` leaves it out of this run.
            if key in self._given.plate.wells:
                return key
        elif component == "site":
            there = sorted({site for shape in self._plan.well_shapes for site in shape.sites})
        else:
            field = "timepoints" if component == "timepoint" else "z_indexes"
            there = sorted({place for lane in lanes for place in getattr(lane.image, field)})
        for value in there:
            if str(value) == key:
                return value
        self.problems.append(no_such_key(step, component, key, [str(value) for value in there]))
        return None

    # --- Chains ---------------------------------------------------------------------------------------------

    def _chain(
        self, step: Step, calls: Sequence[FunctionCall], lanes: tuple[Lane, ...], only: Only | None = None
    ) -> tuple[Lane, ...]:
        for call in calls:
            resolved = self._resolve(step, call)
            lanes = unknown(lanes) if resolved is None else self._call(step, call, resolved, lanes, only)
        return lanes

    def _call(
        self, step: Step, call: FunctionCall, resolved: Resolved, lanes: tuple[Lane, ...], only: Only | None
    ) -> tuple[Lane, ...]:
        """Add a node for each image that the lanes make up; return the lanes in their order."""
        found = groups(lanes)
        wrong = misfit(step, call, resolved, found, only)
        if "s" in resolved.signature.axes and any(group.image.is_mosaic for group in found):
            wrong = sites_are_gone(step, call.label, "it stacks sites")
        if wrong is not None:
            self.problems.append(wrong)
            self.artifacts.announce(step, resolved)
            return unknown(lanes)
        if "c" in resolved.signature.axes and len(found) > 1:
            # Behind a call that could not be resolved: whether they are alike is not known.
            self.artifacts.announce(step, resolved)
            return unknown(lanes)
        made: dict[int, Lane] = {}
        for group in found:
            places = [lanes.index(lane) for lane in group.lanes]
            node = self._node(step, call, resolved, group, only)
            if node is None:
                self.artifacts.announce(step, resolved)
                return unknown(lanes)
            node, index = self._with_artifacts(step, call, resolved, node, known=group.known), len(self.nodes)
            self.nodes.append(node)
            if not group.known:
                self.doubtful.add(index)
            positions = group.lanes[0].positions
            made_lanes = lanes_of(node.output, index, known=group.known, positions=positions)
            left = group.lanes if node.passes_on else made_lanes
            made.update(zip(places, left, strict=False))
        return tuple(made[place] for place in sorted(made))

    def _node(
        self, step: Step, call: FunctionCall, resolved: Resolved, group: Group, only: Only | None
    ) -> NodePlan | None:
        parameters = given_parameters(call, resolved, self._images)
        if group.known:
            self.problems += ill_fitting_images(step, call, resolved, parameters, group.image)
        try:
            output = output_image(group.image, resolved, dict(parameters))
        except ValueError as error:
            if group.known:
                self.problems.append(
                    Problem(step=step.name, function=call.label, message=f"{error}.", hint="Change what it keeps.")
                )
            return None
        return NodePlan(
            step=step.name,
            operation=call.label,
            axes=resolved.signature.axes,
            out=resolved.signature.out,
            parameters=parameters,
            inputs=group.ports,
            input=group.image,
            output=output,
            masks=resolved.signature.missing == MissingPolicy.MASK,
            only=only,
            estimates=estimates_of(resolved.signature, parameters),
            context=resolved.signature.context,
            asked_memory_type=resolved.memory_type or step.memory,
            asked_device=step.device,
            version=resolved.version,
            function=resolved.function,
        )

    def _with_artifacts(
        self, step: Step, call: FunctionCall, resolved: Resolved, node: NodePlan, *, known: bool
    ) -> NodePlan:
        """Return the next node with what it takes, and note what it makes; of what is not known nothing is said."""
        takes, problems = self.artifacts.take(step, call, resolved, node)
        self.problems += problems if known else []
        self.problems += self.artifacts.make(step, call, resolved, len(self.nodes), node)
        return attrs.evolve(node, takes=takes)

    def _resolve(self, step: Step, call: FunctionCall) -> Resolved | None:
        found = resolve(step, call, self._given.plugins)
        if isinstance(found, Problem):
            self.problems.append(found)
            return None
        wrong = parameter_problems(step, call, found, self._images)
        self.problems.extend(wrong)
        # Without good parameters nobody can say what frame is left; all else follows from the signature.
        return None if wrong and found.signature.frame is not None else found
