"""One well's run, from its task to its record."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from hcs_core.compiler.plan import Plan
from hcs_core.errors import RunError, one_line
from hcs_core.plate.reader import Readers
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.forecast import forecast
from hcs_core.runtime.intermediates import Intermediates
from hcs_core.runtime.kernels import Kernels
from hcs_core.runtime.output_stores import open_stores
from hcs_core.runtime.plane_work import PlaneWork
from hcs_core.runtime.read_ahead import PlaneSource, ReadAhead, SourceKey
from hcs_core.runtime.task import Fault, RunJob, WellFaultError, WellRecord, WellTask
from hcs_core.runtime.traversal import Traversal
from hcs_core.storage.layout import WellSummary


class WellRunner:
    """Runs the wells of a job, one after the other; each worker, or thread, has its own."""

    def __init__(self, job: RunJob, plugins: PluginManager) -> None:
        if job.plan.source is None or job.plan.problems:
            raise RunError("a plan with problems is never run: compile it with compile_plan, which names them.")
        self._job = job
        self._plan: Plan = job.plan
        self._image = job.plan.source
        self._plugins = plugins
        self._readers = Readers(plugins.readers)
        self._kernels = Kernels(job.plan, plugins)
        self._stores = open_stores(job.plan, job.output, plugins)
        self._forecasts: dict[tuple[int, ...], tuple[SourceKey, ...]] = {}

    def run(self, task: WellTask) -> WellRecord:
        """Run one well; whatever goes wrong in it becomes its record."""
        started = time.perf_counter()
        summaries: Mapping[str, WellSummary] = {}
        fault: Fault | None = None
        try:
            summaries = self._run(task)
        # The border of a well: any fault of a kernel, a reader or a store becomes the well's record.
        except Exception as error:  # noqa: BLE001
            fault = error.fault if isinstance(error, WellFaultError) else Fault(error=one_line(error))
            fault = attrs.evolve(fault, trace=traceback.format_exc())
        return WellRecord(
            well=task.well,
            status="ok" if fault is None else "failed",
            seconds=round(time.perf_counter() - started, 4),
            peak_memory_bytes=peak_memory_bytes(),
            summaries=summaries,
            fault=fault,
        )

    def _run(self, task: WellTask) -> dict[str, WellSummary]:
        wells = [store.open_well(task.well) for store in self._stores.values()]
        source = PlaneSource(task.planes, self._readers, self._job.plate_root)
        shape, dtype = self._image.shape, self._image.dtype
        with ReadAhead(self._forecast(task.sites), lambda key: source.read(key, shape, dtype)) as ahead:
            work = PlaneWork(
                plan=self._plan,
                sites=task.sites,
                kernels=self._kernels,
                ahead=ahead,
                stores=wells,
                intermediates=Intermediates(self._plan, self._plugins, task.well, task.sites),
            )
            Traversal(self._plan, task.sites, work).run()
        return {name: well.close() for name, well in zip(self._stores, wells, strict=True)}

    def _forecast(self, sites: Sequence[int]) -> tuple[SourceKey, ...]:
        shape = tuple(sites)
        if shape not in self._forecasts:
            self._forecasts[shape] = forecast(self._plan, shape)
        return self._forecasts[shape]


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
