"""The steps `positions` and `stitch`: nodes that find where the sites of a well lie, and that make its mosaic.

They are no kernels: what computes them is a stitcher, and a mosaic has a size of its own in each well.
"""

from __future__ import annotations

import math

import attrs

from hcs_core.compiler.canvas import TileFrame
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.given_positions import GivenPositions
from hcs_core.compiler.graph.lanes import Group, Lane, groups, lanes_of, unknown
from hcs_core.compiler.graph.misfits import no_such_key
from hcs_core.compiler.graph.operations import Images, Resolved, given_parameters, parameter_problems
from hcs_core.compiler.graph.stitching_problems import misplaced, unknown_positions, unlisted_positions
from hcs_core.compiler.node_plan import NodePlan, StitchPlan
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.source.selected import channel_index
from hcs_core.errors import UnknownNameError
from hcs_core.pipeline.step import FunctionCall, Step
from hcs_core.plugins.parameter import ParameterValue
from hcs_core.plugins.specs import StitcherSpec
from hcs_core.plugins.stitcher_choice import chosen_stitcher
from hcs_core.plugins.stitching_signatures import POSITIONS, POSITIONS_FILE, STITCH, stitching_signature


def stitching_call(step: Step) -> FunctionCall | None:
    """Return the first call of a step that is a stitcher's; `None` where there is none."""
    return next((call for call in step.calls if call.operation in {POSITIONS, STITCH}), None)


@attrs.frozen(kw_only=True)
class _Told:
    """What a call tells a stitcher: which it is, and with what parameters."""

    spec: StitcherSpec
    parameters: tuple[tuple[str, ParameterValue], ...]
    own: tuple[tuple[str, ParameterValue], ...]

    def value(self, name: str) -> ParameterValue:
        """Return one of the step's own parameters."""
        return dict(self.own).get(name)


class Stitching:
    """Adds the nodes of stitchers to a plan.

    Parameters
    ----------
    plan, given
        As the passes get them.
    nodes, problems
        What is added to.
    """

    def __init__(self, plan: Plan, given: CompileInput, nodes: list[NodePlan], problems: list[Problem]) -> None:
        self._plan = plan
        self._given = given
        self._nodes = nodes
        self._problems = problems
        self._images: Images = {}
        # Looked for once, told once.
        self._unknown: list[Problem] | None = None
        self._sites: tuple[Lane, ...] = ()
        self.frames: list[TileFrame] = []

    def begin(self, images: Images) -> None:
        """Go on to a pipeline that names these files."""
        self._images = images
        self._sites = ()

    def check(self, step: Step, call: FunctionCall) -> None:
        """Check what can be checked of a call without an image."""
        self._told(step, call)

    def add(self, step: Step, call: FunctionCall, lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
        """Add the nodes of a step; return the lanes that it leaves."""
        told = self._told(step, call)
        wrong = misplaced(step, call, lanes)
        self._problems.extend(wrong)
        if told is None or wrong:
            return lanes if call.operation == POSITIONS else unknown(lanes)
        if call.operation == POSITIONS:
            found = self._find(step, told, lanes, None)
            return tuple(attrs.evolve(lane, positions=found) for lane in lanes)
        return self._fuse(step, call, told, lanes)

    def left(self, lanes: tuple[Lane, ...]) -> tuple[tuple[Lane, ...], ...]:
        """Return what a pipeline leaves at its end: before mosaics, the images of the sites that they are made of."""
        if self._sites and any(lane.image.is_mosaic for lane in lanes):
            return self._sites, lanes
        return (lanes,)

    # --- What a step says -----------------------------------------------------------------------------------

    def _told(self, step: Step, call: FunctionCall) -> _Told | None:
        given = dict(call.parameters)
        # A channel may be named by its number.
        if type(given.get("channel")) is int:
            call = attrs.evolve(call, parameters=tuple({**given, "channel": str(given["channel"])}.items()))
        name = given.get("stitcher")
        try:
            spec = chosen_stitcher(self._given.plugins.stitchers, name if isinstance(name, str) else None)
        except UnknownNameError as error:
            self._problems.append(
                Problem(step=step.name, function=call.label, parameter="stitcher", message=str(error))
            )
            return None
        resolved = Resolved(signature=stitching_signature(call.label, spec))
        wrong = parameter_problems(step, call, resolved, self._images)
        self._problems.extend(wrong)
        if wrong:
            return None
        every = given_parameters(call, resolved, self._images)
        names = {item.name for item in (spec.positions if call.operation == POSITIONS else spec.fusion)}
        return _Told(
            spec=spec,
            parameters=tuple(item for item in every if item[0] in names),
            own=tuple(item for item in every if item[0] not in names),
        )

    # --- Positions ------------------------------------------------------------------------------------------

    def _find(self, step: Step, told: _Told, lanes: tuple[Lane, ...], file: GivenPositions | None) -> int | None:
        """Add the node that finds positions, and return it; `None` where something is wrong."""
        lane = self._reference(step, told, lanes)
        if lane is None:
            return None
        if file is None and self._unknown is None:
            self._unknown = unknown_positions(step, self._plan, self._given.plate)
            self._problems.extend(self._unknown)
        if file is None and self._unknown:
            return None
        spec = told.spec
        looks = spec.needs_pixels and file is None
        image = attrs.evolve(lane.image, channels=(lane.channel,))
        self._nodes.append(
            NodePlan(
                step=step.name,
                operation=POSITIONS,
                axes="syx",
                out="syx",
                parameters=told.parameters,
                inputs=(lane.port,) if looks else (),
                input=image,
                output=image,
                masks=True,
                kernel=f"{POSITIONS}/{spec.name}" if file is None else f"{POSITIONS}/file",
                version=spec.version,
                stitch=StitchPlan(
                    stitcher=spec.name,
                    frame=TileFrame.of(image, self._max_shift(told), file),
                    needs_pixels=looks,
                ),
            )
        )
        return len(self._nodes) - 1

    def _reference(self, step: Step, told: _Told, lanes: tuple[Lane, ...]) -> Lane | None:
        """Return the channel in which positions are found: the first, if the step names none."""
        asked = told.value("channel")
        if asked is None:
            return lanes[0]
        names = [lane.channel.name for lane in lanes]
        index = channel_index(str(asked), names, [lane.channel.number for lane in lanes])
        if index is None:
            wrong = no_such_key(step, "channel", str(asked), names)
            self._problems.append(attrs.evolve(wrong, message=f"there is no channel {asked!r} at this step."))
            return None
        return lanes[index]

    def _max_shift(self, told: _Told) -> int:
        value = dict(told.parameters).get(told.spec.max_shift)
        return math.ceil(value) if isinstance(value, int | float) else 0

    # --- Mosaics --------------------------------------------------------------------------------------------

    def _fuse(self, step: Step, call: FunctionCall, told: _Told, lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
        positions = lanes[0].positions
        file = self._file(step, call, told, positions)
        if isinstance(file, Problem):
            self._problems.append(file)
            return unknown(lanes)
        if positions is None:
            own = stitching_signature(POSITIONS, told.spec)
            unsaid = tuple((item.name, item.default) for item in told.spec.positions)
            required = [item.name for item in own.parameters if item.required]
            if required and file is None:
                message = f"the stitcher {told.spec.name!r} has to be told {', '.join(required)} to find positions."
                hint = "Put a `positions` step before it that says so."
                self._problems.append(Problem(step=step.name, function=call.label, message=message, hint=hint))
                return unknown(lanes)
            positions = self._find(step, attrs.evolve(told, parameters=unsaid, own=()), lanes, file)
        if positions is None:
            return unknown(lanes)
        found = groups(lanes)
        self._sites = lanes
        made: dict[int, Lane] = {}
        for group in found:
            places = [lanes.index(lane) for lane in group.lanes]
            node = self._fusing(step, told, group, positions)
            self._nodes.append(node)
            left = lanes_of(node.output, len(self._nodes) - 1, known=group.known)
            made.update(zip(places, left, strict=True))
        return tuple(made[place] for place in sorted(made))

    def _fusing(self, step: Step, told: _Told, group: Group, positions: int) -> NodePlan:
        """Return the node that fuses the tiles of an image."""
        found = self._nodes[positions].stitch
        margin, given = 0, None
        if found is not None:
            margin = math.ceil(found.frame.margin * found.frame.scale / group.image.scale)
            given = found.frame.given
        frame = TileFrame.of(group.image, margin, given)
        if frame not in self.frames:
            self.frames.append(frame)
        return NodePlan(
            step=step.name,
            operation=STITCH,
            axes="syx",
            out="yx",
            parameters=told.parameters,
            inputs=group.ports,
            input=group.image,
            output=attrs.evolve(
                group.image, shape=(0, 0), field_shape=None, origin=(0.0, 0.0), canvas=self.frames.index(frame)
            ),
            masks=True,
            kernel=f"{STITCH}/{told.spec.name}",
            version=told.spec.version,
            stitch=StitchPlan(stitcher=told.spec.name, frame=frame, positions=positions),
        )

    def _file(
        self, step: Step, call: FunctionCall, told: _Told, positions: int | None
    ) -> GivenPositions | Problem | None:
        """Return the positions that a step is given by a file, or what is wrong with them."""
        name = told.value(POSITIONS_FILE)
        if name is None:
            return None
        place = {"step": step.name, "function": call.label, "parameter": POSITIONS_FILE}
        if positions is not None:
            hint = "Leave out one of them."
            return Problem(
                **place, message="there are positions of the step before it, and a file of them.", hint=hint
            )
        found = self._images.get(str(name), f"{name} was not read.")
        if isinstance(found, GivenPositions):
            return unlisted_positions(place, self._plan, found) or found
        return Problem(**place, message=str(found), hint="Give the path of a table that a run wrote.")
