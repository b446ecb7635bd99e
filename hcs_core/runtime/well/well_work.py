"""What the wells of a runner have in common, and the work with the planes of one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from hcs_core.compiler.order.presence import Cell, Presence
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.context import ProcessingContext
from hcs_core.runtime.services.plate_services import PlateServices
from hcs_core.runtime.task import RunJob, WellTask
from hcs_core.runtime.well.intermediates import Intermediates
from hcs_core.runtime.well.mosaic_work import MosaicWork
from hcs_core.runtime.well.node_calls import NodeCalls
from hcs_core.runtime.well.plane_work import Estimates, Keep, PlaneWork
from hcs_core.runtime.well.read_ahead import SourceKey
from hcs_core.runtime.well.reading import Reading
from hcs_core.runtime.well.waiting import Waiting, waits_in_place
from hcs_core.runtime.well.well_artifacts import WellArtifacts


@attrs.frozen(kw_only=True, eq=False)
class WellWork:
    """Opens the work with planes of wells: kernels, reading and services are those of the runner."""

    job: RunJob
    plugins: PluginManager
    calls: NodeCalls
    reading: Reading
    services: PlateServices

    @contextmanager
    def open(
        self,
        plan: Plan,
        task: WellTask,
        shape: WellShape,
        *,
        reads: Sequence[SourceKey],
        images: Path,
        keep: Keep,
        estimates: Estimates,
        wanted: Collection[Cell] | None = None,
    ) -> Iterator[PlaneWork]:
        """Give the work of a well, and leave nothing of what waited in it.

        Parameters
        ----------
        plan, task, shape
            What is made: the job's plan, or that of a part of it or with gaps, with the well's task and its shape.
        reads
            What will be read, in that order.
        images
            The folder in which images that functions make beside their own are written.
        keep, wanted, estimates
            As in `PlaneWork`.
        """
        with (
            Intermediates(plan, self.plugins, self.job.output, task.well, shape) as intermediates,
            self.reading.ahead(task, reads) as ahead,
        ):
            yield PlaneWork(
                plan=plan,
                shape=shape,
                numbers=self.reading.numbers,
                calls=self.calls,
                ahead=ahead,
                keep=keep,
                waiting=Waiting(intermediates, self.calls.moves, waits_in_place(plan, self.plugins)),
                mosaics=MosaicWork(plan, self.plugins, task, shape),
                artifacts=WellArtifacts(plan, Presence(plan, shape, task.well), task.well, self.plugins, images),
                context=ProcessingContext(
                    well=task.well, sites=shape.sites, plan=self.job.plan, orchestrator=self.services
                ),
                estimates=estimates,
                wanted=wanted,
            )
