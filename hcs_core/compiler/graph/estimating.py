"""What is estimated from the plate's own images: parameters of nodes, and the stages that come before the wells.

An estimate of the plate is a stage of its own: it samples the plate as planned, whatever the well filter, so that a
run of some wells and a run of all take the same one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import attrs

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.graph.spreading import spread
from hcs_core.compiler.node_plan import EstimatePlan, NodePlan
from hcs_core.compiler.order.presence import PlaneKey, Presence, places_of
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.compiler.source.absent_planes import kept_rows
from hcs_core.compiler.source.mosaic_shapes import known_centres, with_canvases
from hcs_core.compiler.source.source_image import planned_shapes
from hcs_core.compiler.stage import REDUCTION, SampledPlane, Stage, WellSample
from hcs_core.compiler.step_plan import OutputPlan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.pipeline.names import MissingData
from hcs_core.plugins.estimate import PLANE, PLATE
from hcs_core.plugins.parameter import ParameterValue
from hcs_core.plugins.signature import Signature


def estimates_of(signature: Signature, parameters: Sequence[tuple[str, ParameterValue]]) -> tuple[EstimatePlan, ...]:
    """Return what has to be estimated of a call with these parameters: those that the pipeline does not give."""
    given = dict(parameters)
    return tuple(
        EstimatePlan(how=how, scope=scope, kind=item.kind)
        for how in signature.estimates
        for item in signature.parameters
        if item.name == how.parameter
        and given.get(how.parameter) is None
        and (scope := how.scope_with(given)) != PLANE
    )


def with_stages(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a stage for each estimate of the plate, before the wells'."""
    wanted = plan.estimates_of(PLATE)
    if not wanted:
        return plan
    plan, wells = _planned_plate(plan, given)
    stages: list[Stage] = []
    problems: list[Problem] = []
    for index, estimate in wanted:
        node = plan.nodes[index]
        stage = _stage(plan, index, estimate, wells)
        stages.append(stage)
        for channel, count in zip(node.input.channels, stage.sampled, strict=True):
            if count < estimate.how.fewest:
                problems.append(too_few(node, estimate, channel.name, count))
    return attrs.evolve(plan, stages=(*stages, *plan.stages)).with_problems(*problems)


def too_few(node: NodePlan, estimate: EstimatePlan, channel: str, count: int) -> Problem:
    """Return that there are too few planes to estimate something from."""
    return Problem(
        step=node.step,
        function=node.operation,
        parameter=estimate.parameter,
        message=f"it is estimated from the planes of the {estimate.scope}, and the channel {channel!r} has {count} "
        f"that can be used; at least {estimate.how.fewest} are needed.",
        hint=f"Give {estimate.parameter}, or select more.",
    )


def _planned_plate(plan: Plan, given: CompileInput) -> tuple[Plan, tuple[tuple[str, int], ...]]:
    """Return the plan with the shapes of all wells of the plate as planned, and each well with its shape's place.

    Sites that the policy for missing data leaves out are not sampled, nor under `error` those that lack planes.
    """
    # What lacks planes refuses the plan only where it is selected: another well's is left out of the sample.
    policy = MissingData(plan.missing)
    policy = MissingData.SKIP_SITE if policy == MissingData.ERROR else policy
    gaps, shapes, wells = planned_shapes(
        given, plan.sources, lambda rows: kept_rows(rows, policy).rows, given.plate.wells
    )
    own = tuple(
        WellShape(sites=shape.sites, gaps=tuple(gap + len(plan.gaps) for gap in shape.gaps)) for shape in shapes
    )
    whole = attrs.evolve(plan, gaps=(*plan.gaps, *gaps), sampled_shapes=own)
    if not plan.tile_frames:
        return whole, wells
    # Only a well whose sites are all known to lie somewhere can be stitched, and sampled after that.
    known = known_centres(given.plate)
    placed = tuple(
        (well, shape)
        for well, shape in wells
        if all(frame.knows(well, own[shape].sites, known) for frame in plan.tile_frames)
    )
    made = with_canvases(attrs.evolve(plan, well_shapes=own, wells=placed), given.plate, plan.tile_frames)
    stitched = dict(made.wells)
    # The shapes of the others, without a canvas, stand behind those with one.
    behind = len(made.well_shapes)
    return (
        attrs.evolve(whole, sampled_shapes=(*made.well_shapes, *own)),
        tuple((well, stitched.get(well, behind + shape)) for well, shape in wells),
    )


def _stage(plan: Plan, index: int, estimate: EstimatePlan, wells: Sequence[tuple[str, int]]) -> Stage:
    node = plan.nodes[index]
    by_well = any(_tells_wells_apart(plan.nodes[other]) for other in (*plan.ancestors(index), index))
    if node.input.is_mosaic:
        wells = [(well, shape) for well, shape in wells if plan.sampled_shapes[shape].canvases]
    known: dict[tuple[int, str], tuple[tuple[SampledPlane, ...], ...]] = {}
    every = []
    for well, shape in wells:
        key = (shape, well if by_well else "")
        if key not in known:
            known[key] = _candidates(plan, node, plan.sampled_shapes[shape], well)
        every.append(known[key])
    chosen: list[list[SampledPlane]] = [[] for _ in wells]
    sampled = []
    for channel in range(len(node.input.channels)):
        places = spread([len(planes[channel]) for planes in every], estimate.how.planes)
        for planes, own, mine in zip(every, places, chosen, strict=True):
            mine += [planes[channel][place] for place in own]
        sampled.append(sum(map(len, places)))
    whole = sum(sampled) == sum(len(planes) for channels in every for planes in channels)
    return Stage(
        name=f"{node.step}: {estimate.parameter}",
        kind=REDUCTION,
        node=index,
        parameter=estimate.parameter,
        sampled=tuple(sampled),
        samples=tuple(
            WellSample(well=well, shape=shape, planes=None if whole else tuple(mine))
            for (well, shape), mine in zip(wells, chosen, strict=True)
            if mine
        ),
    )


def _tells_wells_apart(node: NodePlan) -> bool:
    return node.only is not None and node.only.component == "well"


def _candidates(plan: Plan, node: NodePlan, shape: WellShape, well: str) -> tuple[tuple[SampledPlane, ...], ...]:
    """Return for each channel of a node the planes that there are in a well, and that the node works on."""
    presence = Presence(plan, shape, well)
    every = places_of(node.input, shape.sites)
    keys = [PlaneKey(*place) for place in itertools.product(every["s"], every["t"], every["z"])]
    keys = [key for key in keys if presence.works(node, key)]
    return tuple(
        tuple(
            (channel, key.site, key.timepoint, key.z_index) for key in keys if presence.has(node.inputs[channel], key)
        )
        for channel in every["c"]
    )


def sampled_planes(plan: Plan, node: NodePlan, shape: WellShape, well: str) -> tuple[SampledPlane, ...]:
    """Return every plane of a well that a node works on, of all its channels."""
    return tuple(itertools.chain.from_iterable(_candidates(plan, node, shape, well)))


def plan_before(plan: Plan, index: int) -> Plan:
    """Return the plan of what a node gets: what comes before it, with one output that is the node's input.

    Nodes keep their indices; those that are not before it make no artifacts.
    """
    node = plan.nodes[index]
    before = set(plan.ancestors(index))

    def kept(readers: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(reader for reader in readers if reader in before)

    output = OutputPlan(step=node.step, store="", image=node.input, ports=node.inputs)
    return attrs.evolve(
        plan,
        nodes=tuple(
            other if place in before else attrs.evolve(other, makes=(), takes=())
            for place, other in enumerate(plan.nodes)
        ),
        outputs=(output,),
        source_readers=tuple(kept(readers) for readers in plan.source_readers),
        node_readers=tuple(tuple(kept(readers) for readers in channels) for channels in plan.node_readers),
    )
