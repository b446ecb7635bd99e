"""One well's run, from its task to its record."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from hcs_core.compiler.device_plan import devices_of
from hcs_core.compiler.order.presence import Presence
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.errors import RunError, one_line
from hcs_core.pipeline.names import MissingData
from hcs_core.plate.reader import Readers
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.artifacts.image_files import images_folder, remove_images
from hcs_core.runtime.context import ProcessingContext
from hcs_core.runtime.output_stores import mosaic_frame, open_stores
from hcs_core.runtime.services.services_of_plate import services_of
from hcs_core.runtime.task import AbsentPlane, Fault, RunJob, SampleTask, WellFaultError, WellRecord, WellTask
from hcs_core.runtime.well.device_binding import bound_job
from hcs_core.runtime.well.filling import with_gaps
from hcs_core.runtime.well.forecast import forecast
from hcs_core.runtime.well.intermediates import Intermediates
from hcs_core.runtime.well.kernels import Kernels
from hcs_core.runtime.well.mosaic_work import MosaicWork
from hcs_core.runtime.well.plane_work import PlaneWork
from hcs_core.runtime.well.read_ahead import SourceKey
from hcs_core.runtime.well.reading import Reading
from hcs_core.runtime.well.sampling import Sampler
from hcs_core.runtime.well.well_artifacts import WellArtifacts
from hcs_core.storage.backend import Restartable, WellStore
from hcs_core.storage.layout import WellSummary


class WellRunner:
    """Runs the wells of a job, one after the other; each worker, or thread, has its own.

    It has a thread that reads ahead, which ends with `close`. It is bound to a `device` where nodes of the plan name
    its kind alone (see `Plan.worker_devices`); without one, to the best that this machine has.
    """

    def __init__(self, job: RunJob, plugins: PluginManager, device: str = "") -> None:
        if not job.plan.sources or job.plan.problems:
            raise RunError("a plan with problems is never run: compile it with compile_plan, which names them.")
        job = bound_job(job, plugins, device)
        self._job = job
        self._plan: Plan = job.plan
        self._plugins = plugins
        self._kernels = Kernels(job.plan, plugins)
        self._stores = open_stores(job.plan, job.output, plugins)
        self._services = services_of(job, plugins)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hcs-read-ahead")
        self._reading = Reading(job, Readers(plugins.readers), self._thread)
        self._sampler = Sampler(job, plugins, self._kernels, self._reading, self._services)
        self._by_well = any(node.only is not None and node.only.component == "well" for node in job.plan.nodes)
        self._forecasts: dict[tuple[WellShape, tuple[int, ...], str], tuple[SourceKey, ...]] = {}

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def run(self, task: WellTask) -> WellRecord:
        """Run one well, or take the sample that its task asks for; whatever goes wrong becomes its record."""
        started = time.perf_counter()
        record = WellRecord(well=task.well, status="ok", sites=task.sites, devices=devices_of(self._plan))
        try:
            try:
                if task.sample is not None:
                    record = self._sample(record, task, task.sample)
                else:
                    record = self._run(record, task, task.shape, self._plan)
            except WellFaultError as error:
                if error.fault.plane is None or self._plan.missing == MissingData.ERROR:
                    raise
                record = self._without_absent(record, task)
        # The border of a well: any fault of a kernel, a reader or a store becomes the well's record.
        except Exception as error:  # noqa: BLE001
            fault = error.fault if isinstance(error, WellFaultError) else Fault(error=one_line(error))
            fault = attrs.evolve(fault, trace=traceback.format_exc())
            record = attrs.evolve(record, status="failed", sites=(), fault=fault)
        return attrs.evolve(
            record, seconds=round(time.perf_counter() - started, 4), peak_memory_bytes=peak_memory_bytes()
        )

    def _sample(self, record: WellRecord, task: WellTask, sample: SampleTask) -> WellRecord:
        found = self._sampler.sample(task, sample)
        return attrs.evolve(record, collected=found.collected, sampled=found.sampled, absent=found.absent)

    def _without_absent(self, record: WellRecord, task: WellTask) -> WellRecord:
        """Run a well again in which a file turned out to be unreadable: without the sites or planes that it concerns.

        All files are looked at first, so that a well is run twice at most, however many of them are bad.
        """
        absent = tuple(self._unreadable(task))
        plan, shape = self._plan, task.shape.without({plane.site for plane in absent})
        if plan.missing == MissingData.FILL:
            plan, shape = with_gaps(plan, task.shape, absent)
        if self._plan.missing == MissingData.SKIP_WELL or not shape.sites:
            return attrs.evolve(record, status="skipped", sites=(), absent=absent)
        for well in self._open(task).values():
            if isinstance(well, Restartable):
                well.restart()
        return self._run(attrs.evolve(record, sites=shape.sites, absent=absent), task, shape, plan)

    def _unreadable(self, task: WellTask) -> Iterator[AbsentPlane]:
        source = self._reading.source(task)
        for key in dict.fromkeys(self._forecast(self._plan, task.shape, task.well)):
            try:
                source.read(key)
            except WellFaultError as error:
                if error.fault.plane is not None:
                    yield error.fault.plane

    def _open(self, task: WellTask) -> dict[str, WellStore]:
        """Return the well in each store that has an output of it, by the store's name."""
        names = self._plan.stores_of(task.well)
        frames = {name: mosaic_frame(self._plan, name, task.shape) for name in names}
        return {name: self._stores[name].open_well(task.well, frames[name]) for name in names}

    def _run(self, record: WellRecord, task: WellTask, shape: WellShape, plan: Plan) -> WellRecord:
        """Make a well's images and artifacts; return its record with what the driver needs of them."""
        remove_images(self._plan, self._job.output, task.well)
        artifacts = WellArtifacts(
            plan,
            Presence(plan, shape, task.well),
            task.well,
            self._plugins,
            images_folder(self._job.output),
        )
        mosaics = MosaicWork(plan, self._plugins, task, shape)
        summaries = self._run_planes(task, shape, plan, artifacts, mosaics)
        tables = {**artifacts.tables(), **mosaics.tables()}
        return attrs.evolve(record, summaries=summaries, tables=tables, documents=artifacts.documents())

    def _run_planes(
        self, task: WellTask, shape: WellShape, plan: Plan, artifacts: WellArtifacts, mosaics: MosaicWork
    ) -> dict[str, WellSummary]:
        estimates = self._sampler.of(plan).estimates(task, shape)
        wells = self._open(task)
        outputs = self._plan.outputs
        keys = self._forecast(plan, shape, task.well)
        with (
            Intermediates(plan, self._plugins, self._job.output, task.well, shape) as intermediates,
            self._reading.ahead(task, keys) as ahead,
        ):
            work = PlaneWork(
                plan=plan,
                shape=shape,
                numbers=self._reading.numbers,
                kernels=self._kernels,
                ahead=ahead,
                stores={index: wells[outputs[index].store] for index in self._plan.kept_in(task.well)},
                intermediates=intermediates,
                mosaics=mosaics,
                artifacts=artifacts,
                context=ProcessingContext(
                    well=task.well, sites=shape.sites, plan=self._plan, orchestrator=self._services
                ),
                estimates=estimates,
            )
            Traversal(plan, shape, work, task.well).run()
        return {name: well.close() for name, well in wells.items()}

    def _forecast(self, plan: Plan, shape: WellShape, well: str) -> tuple[SourceKey, ...]:
        """Return what a well reads; wells of one shape read the same, unless the plan tells wells apart."""
        if plan is not self._plan:
            return forecast(plan, shape, well)
        key = (shape, self._plan.kept_in(well), well if self._by_well else "")
        if key not in self._forecasts:
            self._forecasts[key] = forecast(self._plan, shape, well)
        return self._forecasts[key]


def peak_memory_bytes() -> int:
    """Return the most memory that this process has had so far; 0 where the system does not say.

    Linux is asked through `/proc`: the figure of `getrusage` goes on from that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
