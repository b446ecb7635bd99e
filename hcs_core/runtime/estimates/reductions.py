"""The stages before the wells': each samples the plate, and makes one value for each channel of a node."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.compiler.graph.estimating import too_few
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.source.source_image import planes_of
from hcs_core.compiler.stage import Stage
from hcs_core.errors import RunError
from hcs_core.plate.inventory import Plate
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.estimates.estimate_calls import EstimateCalls
from hcs_core.runtime.estimates.kept_estimates import ChannelEstimate, KeptEstimates, StageEstimate
from hcs_core.runtime.executor import Session
from hcs_core.runtime.task import GivenEstimate, SampleTask, WellFaultError, WellRecord, WellTask
from hcs_core.runtime.well_tasks import positions_of


class Reductions:
    """Makes the estimates of a plan that are not kept, or with `anew` all of them."""

    def __init__(
        self, plan: Plan, plate: Plate, plugins: PluginManager, kept: KeptEstimates, *, anew: bool = False
    ) -> None:
        self._plan = plan
        self._plate = plate
        self._calls = EstimateCalls(plan, plugins)
        self._kept = kept
        self._found = {
            plan.estimate_key(stage): None if anew else kept.read(plan.estimate_key(stage))
            for stage in plan.reductions
        }

    @property
    def to_make(self) -> tuple[Stage, ...]:
        """The stages that have still to be run."""
        return tuple(stage for stage in self._plan.reductions if self._found[self._plan.estimate_key(stage)] is None)

    @property
    def estimates(self) -> tuple[StageEstimate, ...]:
        """What there is, in the order of the stages."""
        return tuple(found for found in self._found.values() if found is not None)

    @property
    def given(self) -> tuple[GivenEstimate, ...]:
        """What workers are given of it."""
        return tuple(channel.given for estimate in self.estimates for channel in estimate.channels)

    def run(self, session: Session, stop: threading.Event) -> None:
        """Run the stages that have to be, one after the other, and keep what they make; after `stop`, no more.

        Raises
        ------
        RunError
            There are too few planes that can be read, or a function of the operation is at fault.
        """
        for stage in self.to_make:
            tasks = sample_tasks(self._plan, self._plate, stage, self.given)
            gathered = _Gathered(self._plan, stage, self._calls)
            session.run(tasks, gathered.take, stop)
            if stop.is_set():
                return
            try:
                estimate = self._made(stage, gathered, [task.well for task in tasks])
            except WellFaultError as error:
                raise RunError(f"{error} Nothing is made without it.") from error
            self._kept.keep(estimate)
            self._found[estimate.key] = estimate

    def _made(self, stage: Stage, gathered: _Gathered, wells: Sequence[str]) -> StageEstimate:
        estimate, node = self._plan.estimate_of(stage.node, stage.parameter), self._plan.nodes[stage.node]
        key = self._plan.estimate_key(stage)
        channels = []
        for index, channel in enumerate(node.input.channels):
            planes = sum(gathered.planes[well].get(index, 0) for well in wells if well in gathered.planes)
            if planes < estimate.how.fewest:
                why = f" {gathered.failed[0]}" if gathered.failed else ""
                raise RunError(f"{too_few(node, estimate, channel.name, planes)}{why}")
            made = self._calls.reduced(stage.node, estimate, gathered.arrays(index, wells))
            channels.append(
                ChannelEstimate(
                    given=self._kept.keep_value(key, stage.node, index, stage.parameter, made.value),
                    planes=planes,
                    unreadable=tuple(sorted(gathered.unreadable)),
                    failed=tuple(sorted(gathered.failed)),
                    notes={name: _plain(value) for name, value in made.notes.items()},
                )
            )
        return StageEstimate(key=key, channels=tuple(channels), anew=True)


def _plain(value: Any) -> Any:
    """Return a note as JSON has it."""
    return value.item() if isinstance(value, np.generic) else value


def sample_tasks(plan: Plan, plate: Plate, stage: Stage, given: tuple[GivenEstimate, ...]) -> tuple[WellTask, ...]:
    """Return a task for each well that a reduction samples, in the plate's order."""
    samples = {sample.well: sample for sample in stage.samples}
    tasks = []
    for well, own in planes_of(plate.planes, plan.sources).by_well():
        if well not in samples:
            continue
        sample = samples[well]
        shape = plan.sampled_shapes[sample.shape]
        tasks.append(
            WellTask(
                well=well,
                shape=shape,
                planes=own.select(np.isin(own.site, shape.sites)),
                positions=positions_of(plan, plate, well, shape.sites),
                estimates=given,
                sample=SampleTask(node=stage.node, parameter=stage.parameter, planes=sample.planes),
            )
        )
    return tuple(tasks)


@attrs.define
class _Gathered:
    """What the wells of a stage have given so far.

    What can be merged is: it is the same in any order, and a plate's worth of it would not fit into memory.
    """

    plan: Plan
    stage: Stage
    calls: EstimateCalls
    planes: dict[str, dict[int, int]] = attrs.field(factory=dict)
    unreadable: list[str] = attrs.field(factory=list)
    failed: list[str] = attrs.field(factory=list)
    _collected: dict[tuple[str, int], tuple[npt.NDArray[Any], ...]] = attrs.field(factory=dict)
    _merged: dict[int, npt.NDArray[Any]] = attrs.field(factory=dict)

    def take(self, record: WellRecord) -> None:
        """Take a well's record; one that failed gives nothing, and is told of."""
        if record.fault is not None:
            self.failed.append(f"Well {record.well}: {record.fault.error}")
        self.unreadable += [plane.file for plane in record.absent]
        self.planes[record.well] = dict(record.sampled)
        estimate = self.plan.estimate_of(self.stage.node, self.stage.parameter)
        for channel, arrays in record.collected.items():
            if not estimate.how.merge:
                self._collected[record.well, channel] = arrays
                continue
            for array in arrays:
                before = self._merged.get(channel)
                merged = array if before is None else self.calls.merged(self.stage.node, estimate, before, array)
                self._merged[channel] = merged

    def arrays(self, channel: int, wells: Sequence[str]) -> tuple[npt.NDArray[Any], ...]:
        """Return what was collected of a channel, in the order of the wells."""
        if channel in self._merged:
            return (self._merged[channel],)
        return tuple(array for well in wells for array in self._collected.get((well, channel), ()))
