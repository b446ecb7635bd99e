"""Collecting what estimates are made of: planes as a node gets them, of one well, each a small array."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import numpy.typing as npt

from hcs_core.compiler.graph.estimating import plan_before, sampled_planes
from hcs_core.compiler.node_plan import EstimatePlan
from hcs_core.compiler.order.presence import PlaneKey
from hcs_core.compiler.order.pulling import running_nodes
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.stage import SampledPlane
from hcs_core.compiler.well_shape import WellShape
from hcs_core.plugins.estimate import WELL
from hcs_core.runtime.estimates.estimate_calls import EstimateCalls
from hcs_core.runtime.estimates.kept_estimates import KeptEstimates
from hcs_core.runtime.journal import FOLDER
from hcs_core.runtime.task import AbsentPlane, GivenEstimate, SampleTask, WellFaultError, WellTask
from hcs_core.runtime.well.call_faults import fault_of
from hcs_core.runtime.well.forecast import forecast
from hcs_core.runtime.well.plane_work import Estimates
from hcs_core.runtime.well.well_work import WellWork

TakePlane = Callable[[int, PlaneKey, npt.NDArray[Any]], None]
"""Is told of a plane that a node gets: its channel, where it belongs, and the (y, x) array."""


@attrs.frozen(kw_only=True, eq=False)
class Sampled:
    """What a well gives to a reduction: arrays and numbers of planes by channel, and planes that gave no pixels."""

    collected: Mapping[int, tuple[npt.NDArray[Any], ...]]
    sampled: Mapping[int, int]
    absent: tuple[AbsentPlane, ...] = ()


class Sampler:
    """Collects planes of wells, and makes the estimates of a well's own; each runner of wells has one."""

    def __init__(self, plan: Plan, work: WellWork) -> None:
        self._plan = plan
        self._work = work
        self._calls = EstimateCalls(plan, work.plugins)
        self._before: dict[int, Plan] = {}
        self._kept = KeptEstimates(work.job.output)
        self._loaded: dict[str, npt.NDArray[Any]] = {}

    def of(self, plan: Plan) -> Sampler:
        """Return a sampler of this plan: itself, but where a well is run with gaps that the job's plan has not."""
        return self if plan is self._plan else Sampler(plan, self._work)

    # --- What stages before have made -----------------------------------------------------------------------

    def estimates(self, task: WellTask, shape: WellShape, upto: int | None = None) -> Estimates:
        """Return what a well's nodes are given: what the task brings, and what is estimated of the well itself.

        With `upto`, only what the nodes before that one need. All planes of the well that an estimate is made of are
        read for it, and once more where they are computed: no more than one is held.

        Raises
        ------
        WellFaultError
            A plane cannot be read or computed, or there are too few.
        """
        found: dict[tuple[int, int], dict[str, Any]] = {}
        for given in task.estimates:
            found.setdefault((given.node, given.channel), {})[given.parameter] = self._value(given)
        outputs = self._plan.kept_in(task.well)
        needed = running_nodes(self._plan, outputs) if upto is None else self._plan.ancestors(upto)
        for index, estimate in self._plan.estimates_of(WELL):
            if index in needed:
                self._estimate_well(index, estimate, task, shape, found)
        return found

    def _estimate_well(
        self,
        index: int,
        estimate: EstimatePlan,
        task: WellTask,
        shape: WellShape,
        found: dict[tuple[int, int], dict[str, Any]],
    ) -> None:
        node = self._plan.nodes[index]
        planes = sampled_planes(self._plan, node, shape, task.well)
        collected, sampled = self.collected(index, estimate, task, shape, planes, found)
        for channel, count in sampled.items():
            if count < estimate.how.fewest:
                name = node.input.channels[channel].name
                raise fault_of(
                    node,
                    None,
                    f"{estimate.parameter} cannot be estimated from {count} planes of the channel {name!r}; at least "
                    f"{estimate.how.fewest} are needed: give it",
                )
            made = self._calls.reduced(index, estimate, collected[channel])
            found.setdefault((index, channel), {})[estimate.parameter] = made.value

    def _value(self, given: GivenEstimate) -> Any:
        if not given.file:
            return given.numbers
        if given.digest not in self._loaded:
            self._loaded[given.digest] = self._kept.image(given)
        return self._loaded[given.digest]

    # --- Planes ---------------------------------------------------------------------------------------------

    def collected(
        self,
        index: int,
        estimate: EstimatePlan,
        task: WellTask,
        shape: WellShape,
        planes: Collection[SampledPlane],
        estimates: Estimates,
    ) -> tuple[dict[int, tuple[npt.NDArray[Any], ...]], dict[int, int]]:
        """Return the arrays that planes of a well give, by the node's channel, and how many planes gave them.

        Where an estimate merges, there is one array of each channel that has planes.

        Raises
        ------
        WellFaultError
            A plane cannot be read or computed.
        """
        channels = range(len(self._plan.nodes[index].input.channels))
        arrays: dict[int, list[npt.NDArray[Any]]] = {channel: [] for channel in channels if planes}
        counts = dict.fromkeys(arrays, 0)

        def take(channel: int, key: PlaneKey, plane: npt.NDArray[Any]) -> None:
            array = self._calls.collected(index, estimate, plane, key.site)
            counts[channel] += 1
            if estimate.how.merge and arrays[channel]:
                array = self._calls.merged(index, estimate, arrays[channel].pop(), array)
            arrays[channel].append(array)

        self.visit(index, task, shape, planes, estimates, take)
        wanted = {plane[0] for plane in planes}
        return (
            {channel: tuple(made) for channel, made in arrays.items() if channel in wanted},
            {channel: count for channel, count in counts.items() if channel in wanted},
        )

    def visit(
        self,
        index: int,
        task: WellTask,
        shape: WellShape,
        planes: Collection[SampledPlane],
        estimates: Estimates,
        take: TakePlane,
    ) -> None:
        """Give planes of a well, as a node gets them, to a function, one after the other.

        Raises
        ------
        WellFaultError
            A plane cannot be read or computed.
        """
        if index not in self._before:
            self._before[index] = plan_before(self._plan, index)
        plan = self._before[index]
        wanted = {(channel, PlaneKey(site, timepoint, z)) for channel, site, timepoint, z in planes}
        with (
            # What an artifact on the way writes is no result: the well's own run writes it.
            TemporaryDirectory(dir=self._work.job.output / FOLDER, prefix="sample-") as images,
            self._work.open(
                plan,
                task,
                shape,
                reads=forecast(plan, shape, task.well, wanted),
                images=Path(images),
                keep=lambda _output, channel, key, plane: take(channel, key, plane),
                estimates=estimates,
                wanted=wanted,
            ) as work,
        ):
            Traversal(plan, shape, work, task.well, wanted).run()

    def sample(self, task: WellTask, sample: SampleTask) -> Sampled:
        """Return what a reduction gets of a well; sites whose files turn out to be unusable are left out and told.

        Raises
        ------
        WellFaultError
            A plane cannot be computed.
        """
        estimate = self._plan.estimate_of(sample.node, sample.parameter)
        absent: tuple[AbsentPlane, ...] = ()
        shape = task.shape
        while True:
            try:
                planes = self.wanted(task, shape)
                estimates = self.estimates(task, shape, sample.node)
                collected, sampled = self.collected(sample.node, estimate, task, shape, planes, estimates)
            except WellFaultError as error:
                if error.fault.plane is None:
                    raise
                absent = (*absent, error.fault.plane)
                shape = shape.without({error.fault.plane.site})
            else:
                return Sampled(collected=collected, sampled=sampled, absent=absent)

    def wanted(self, task: WellTask, shape: WellShape) -> tuple[SampledPlane, ...]:
        """Return the planes that a task samples, at the sites of a shape."""
        if task.sample is None:
            return ()
        if task.sample.planes is not None:
            return tuple(plane for plane in task.sample.planes if plane[1] in shape.sites)
        return sampled_planes(self._plan, self._plan.nodes[task.sample.node], shape, task.well)
