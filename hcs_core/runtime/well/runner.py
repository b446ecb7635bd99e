"""One well's run, from its task to its record."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy.typing as npt

from hcs_core.compiler.order.presence import PlaneKey
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.plan_devices import devices_of
from hcs_core.compiler.well_shape import WellShape
from hcs_core.errors import RunError, one_line
from hcs_core.pipeline.names import MissingData
from hcs_core.plate.reader import Readers
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.artifacts.image_files import images_folder, remove_images
from hcs_core.runtime.output_stores import mosaic_frame, open_stores
from hcs_core.runtime.services.services_of_plate import services_of
from hcs_core.runtime.task import AbsentPlane, Fault, RunJob, SampleTask, WellFaultError, WellRecord, WellTask
from hcs_core.runtime.well.device_binding import bound_job
from hcs_core.runtime.well.filling import with_gaps
from hcs_core.runtime.well.forecast import forecast
from hcs_core.runtime.well.intermediates import plane_address
from hcs_core.runtime.well.kernels import Kernels
from hcs_core.runtime.well.node_calls import NodeCalls
from hcs_core.runtime.well.read_ahead import SourceKey
from hcs_core.runtime.well.reading import Reading
from hcs_core.runtime.well.sampling import Sampler
from hcs_core.runtime.well.well_work import WellWork
from hcs_core.storage.backend import Restartable, WellStore


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
        self._calls = NodeCalls(Kernels(job.plan, plugins))
        self._stores = open_stores(job.plan, job.output, plugins)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hcs-read-ahead")
        self._reading = Reading(job, Readers(plugins.readers), self._thread)
        self._work = WellWork(
            job=job,
            plugins=plugins,
            calls=self._calls,
            reading=self._reading,
            services=services_of(job, plugins),
        )
        self._sampler = Sampler(job.plan, self._work)
        self._by_well = any(node.only is not None and node.only.component == "well" for node in job.plan.nodes)
        self._forecasts: dict[tuple[WellShape, tuple[int, ...], str], tuple[SourceKey, ...]] = {}

    def close(self) -> None:
        """End the thread, and leave nothing on a device."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._calls.kernels.close()

    def run(self, task: WellTask) -> WellRecord:
        """Run one well, or take the sample that its task asks for; whatever goes wrong becomes its record."""
        started = time.perf_counter()
        record = WellRecord(well=task.well, status="ok", sites=task.sites, devices=devices_of(self._plan))
        try:
            made = self._made(record, task)
            record = self._without_absent(record, task) if made is None else made
        # The border of a well: any fault of a kernel, a reader or a store becomes the well's record.
        except Exception as error:  # noqa: BLE001
            fault = error.fault if isinstance(error, WellFaultError) else Fault(error=one_line(error))
            fault = attrs.evolve(fault, trace=traceback.format_exc())
            record = attrs.evolve(record, status="failed", sites=(), fault=fault)
            _let_go(error)
        return attrs.evolve(
            record,
            seconds=round(time.perf_counter() - started, 4),
            peak_memory_bytes=peak_memory_bytes(),
            conversions=self._calls.taken_conversions(),
            fallbacks=self._calls.fallbacks.taken(),
        )

    def _made(self, record: WellRecord, task: WellTask) -> WellRecord | None:
        """Return the record of a well, or of its sample; `None` where a file is unreadable that may be left out."""
        try:
            if task.sample is not None:
                return self._sample(record, task, task.sample)
            return self._run(record, task, task.shape, self._plan)
        except WellFaultError as error:
            if error.fault.plane is None or self._plan.missing == MissingData.ERROR:
                raise
            _let_go(error)
            return None

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
        estimates = self._sampler.of(plan).estimates(task, shape)
        wells = self._open(task)
        outputs = self._plan.outputs
        stores = {index: wells[outputs[index].store] for index in self._plan.kept_in(task.well)}

        def keep(output: int, channel: int, key: PlaneKey, plane: npt.NDArray[Any]) -> None:
            stores[output].write(plane_address(outputs[output].image, channel, key), plane)

        with self._work.open(
            plan,
            task,
            shape,
            reads=self._forecast(plan, shape, task.well),
            images=images_folder(self._job.output),
            keep=keep,
            estimates=estimates,
        ) as work:
            Traversal(plan, shape, work, task.well).run()
        summaries = {name: well.close() for name, well in wells.items()}
        tables = {**work.artifacts.tables(), **work.mosaics.tables()}
        return attrs.evolve(record, summaries=summaries, tables=tables, documents=work.artifacts.documents())

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


def _let_go(error: BaseException | None) -> None:
    """Forget what the functions held that an error has ended: planes, on devices too, would wait for a collection."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
