"""`run_plan`: the driver of a run, from a plan to finished wells."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import attrs

from hcs_core.compiler.plan import Plan
from hcs_core.errors import HcsError, RunError, one_line
from hcs_core.plate.inventory import Plate
from hcs_core.plugins.events import RunFinished, RunStarted, WellFinished
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.artifacts.artifact_store import ArtifactStore
from hcs_core.runtime.estimates.estimate_files import EstimateFiles, EstimateRow
from hcs_core.runtime.estimates.kept_estimates import KeptEstimates, estimates_digest
from hcs_core.runtime.estimates.reductions import Reductions
from hcs_core.runtime.executor import Executor
from hcs_core.runtime.journal import Journal, JournalContent
from hcs_core.runtime.listing import Listing
from hcs_core.runtime.output_folder import check_output, check_outside, check_same_run, held_output, prepare_output
from hcs_core.runtime.output_stores import mosaics_of, open_stores, sites_of
from hcs_core.runtime.planes_table import absent_rows, present_planes
from hcs_core.runtime.result import RunResult, status_of, write_run_files
from hcs_core.runtime.task import Fault, RunJob, WellRecord, WellTask
from hcs_core.runtime.well.intermediates import clear_waiting
from hcs_core.runtime.well_tasks import well_tasks


@attrs.frozen(kw_only=True)
class RunOptions:
    """What a run is told beside its plan.

    `results` is the folder of tables, relative to the output folder or absolute; `pipeline_files` are the texts of
    the pipelines' files, `None` for one that no file can hold, kept beside the results; `repeat` is the command line
    that runs the plan again; `stop` is set from outside to end after the wells in hand; with `reestimate`, what is
    estimated of the plate is made anew, and wells are made again that were made with another estimate. The run sets
    `finishing` while it tidies up, which is short and must not be interrupted: who handles signals looks at it first.
    """

    results: Path = Path("results")
    pipeline_files: tuple[str | None, ...] = ()
    repeat: tuple[str, ...] = ()
    reestimate: bool = False
    stop: threading.Event = attrs.field(factory=threading.Event)
    finishing: threading.Event = attrs.field(factory=threading.Event)


def run_plan(
    plan: Plan, plate: Plate, plugins: PluginManager, output: Path, options: RunOptions | None = None
) -> RunResult:
    """Run a plan; wells that are whole in the output are left as they are.

    Raises
    ------
    RunError
        The plan has problems, the plate is gone, the output belongs to something else, or another run works in it.
    StorageError
        The output cannot be written.
    """
    if plan.problems:
        raise RunError("a plan with problems is never run: compile it with compile_plan, which names them.")
    options = options or RunOptions()
    if not plate.root.is_dir():
        raise RunError(f"{plate.root} is not there any more: is its disk still mounted?")
    check_output(output, plate.root)
    check_outside(output / options.results, plate.root)
    check_same_run(output, plan.pipeline, plan.content_key)
    prepare_output(output)
    with held_output(output):
        return _Driver(plan, plate, plugins, output, options).run()


def _cached(plan: Plan, content: JournalContent) -> dict[str, WellRecord]:
    """Return the records of the wells that the plan knew to be whole, and that are so still."""
    return {
        well: WellRecord(
            well=well,
            status="cached",
            sites=content.sites[well],
            absent=content.absent[well],
            fallbacks=content.fallbacks[well],
        )
        for well in plan.done
        if well in content.wells
    }


class _Driver:
    """Declares stores, hands wells to the executor, and makes each well visible when it is whole."""

    def __init__(self, plan: Plan, plate: Plate, plugins: PluginManager, output: Path, options: RunOptions) -> None:
        self._plan = plan
        self._plate = plate
        self._plugins = plugins
        self._output = output
        self._options = options
        self._journal = Journal(output)
        self._stores = open_stores(plan, output, plugins)
        self._artifacts = ArtifactStore(plan, output, output / options.results, plugins)
        self._records = {well: WellRecord(well=well, status="skipped") for well in plan.skipped_wells}
        self._tasks: dict[str, WellTask] = {}
        self._reductions = Reductions(plan, plate, plugins, KeptEstimates(output), anew=options.reestimate)
        self._estimates = ""
        self._estimate_rows: tuple[EstimateRow, ...] = ()
        self._job = RunJob(plan=plan, plate_root=plate.root, output=output, plugins=plugins.recipe())
        self._listing = Listing(plan, plate, self._stores, self._journal, self._tell)

    def run(self) -> RunResult:
        started = time.perf_counter()
        content = self._journal.read()
        # A plan may be older than the output: what was removed since is made again.
        done = {} if content is None else _cached(self._plan, content)
        tasks = {task.well: task for task in well_tasks(self._plan, self._plate)}
        self._tasks = {well: task for well, task in tasks.items() if well not in done}
        if content is None:
            self._journal.begin(self._plan.pipeline, self._plan.content_key, tuple(self._stores))
        self._plugins.emit(
            RunStarted(
                plate=self._plan.plate,
                wells=len(self._plan.wells),
                cached=len(done),
                workers=self._plan.workers,
                output=str(self._output),
            )
        )
        interrupted = False
        try:
            self._execute(tasks, done, content)
        except BaseException as error:
            interrupted = not isinstance(error, Exception)
            raise
        finally:
            self._options.finishing.set()
            try:
                result = self._finish(time.perf_counter() - started, interrupted=interrupted)
            finally:
                self._options.finishing.clear()
        return result

    def _execute(
        self, tasks: dict[str, WellTask], done: dict[str, WellRecord], content: JournalContent | None
    ) -> None:
        """Run the stages: estimates that are not kept, then the wells that are not done, or were made with others."""
        self._records |= done
        estimating = self._reductions.to_make if self._tasks or self._options.reestimate else ()
        if not self._tasks and not estimating:
            self._show_estimates()
            return
        clear_waiting(self._output)
        self._artifacts.begin()
        most = max(len(self._tasks), *(len(stage.samples) for stage in estimating), 0)
        executor: Executor = self._plugins.executors.make(self._plan.executor)
        with executor.open(self._job, self._plugins, min(self._plan.workers, most)) as session:
            if estimating:
                self._reductions.run(session, self._options.stop)
                if self._options.stop.is_set():
                    return
            self._estimates = estimates_digest(self._reductions.estimates)
            self._show_estimates()
            self._make_again(tasks, done, content)
            if self._tasks:
                self._declare()
                given = self._reductions.given
                wells = [attrs.evolve(task, estimates=given) for task in self._tasks.values()]
                self._listing.estimates = self._estimates
                try:
                    session.run(wells, self._note, self._options.stop)
                finally:
                    self._listing.flush()

    def _show_estimates(self) -> None:
        """Write what people see of the estimates."""
        results = self._output / self._options.results
        results.mkdir(parents=True, exist_ok=True)
        files = EstimateFiles(self._plan, self._plate, self._plugins, self._job, results)
        self._estimate_rows = files.write(self._reductions.estimates)

    def _make_again(
        self, tasks: dict[str, WellTask], done: dict[str, WellRecord], content: JournalContent | None
    ) -> None:
        """Add the wells to the tasks that are whole, and were made with another estimate."""
        if content is None:
            return
        again = {well for well in done if content.estimates.get(well, "") != self._estimates}
        self._tasks = {well: task for well, task in tasks.items() if well in self._tasks or well in again}
        for well in again:
            del self._records[well]

    def _declare(self) -> None:
        """Make the stores ready for the wells that will be made."""
        for well in self._tasks:
            self._artifacts.discard(well)
        for name, store in self._stores.items():
            sites = sites_of(self._plan, name, self._tasks)
            for well in store.finished_wells():
                # It is made again: while that lasts, nobody may take it for whole.
                if well in sites:
                    store.discard_well(well)
            if sites:
                store.declare(sites, mosaics_of(self._plan, name, self._tasks))

    def _note(self, record: WellRecord) -> None:
        """Make a well that is whole visible, in images and journal; remove what one that failed has left."""
        if record.status == "ok":
            try:
                self._artifacts.keep(record)
            except (HcsError, OSError) as error:
                record = attrs.evolve(record, status="failed", sites=(), fault=Fault(error=one_line(error)))
        # What it measured lies in a file now: a plate's would fill the memory.
        record = attrs.evolve(record, tables={}, documents={})
        if record.status == "ok":
            self._listing.add(record, self._tasks[record.well])
        else:
            self._tell(record)

    def _tell(self, record: WellRecord) -> None:
        if record.status in {"failed", "skipped"}:
            self._discard(record.well)
        self._records[record.well] = record
        self._plugins.emit(
            WellFinished(
                well=record.well,
                status=record.status,
                seconds=record.seconds,
                error=record.fault.error if record.fault else None,
            )
        )

    def _whole(self) -> tuple[str, ...]:
        """Return the wells that are whole in the output, of earlier runs too, in the plate's order."""
        content = self._journal.read()
        noted = content.wells if content is not None else {}
        return tuple(well for well in self._plate.wells if well in noted)

    def _discard(self, well: str) -> None:
        for index in self._plan.kept_in(well):
            self._stores[self._plan.outputs[index].store].discard_well(well)
        self._artifacts.discard(well)

    def _finish(self, seconds: float, *, interrupted: bool) -> RunResult:
        """Remove what unfinished wells have left, and write what became of the run."""
        clear_waiting(self._output)
        for well in self._tasks:
            if well not in self._records:
                self._discard(well)
        order = {well: self._records[well] for well in self._plate.wells if well in self._records}
        wells = len(self._plan.wells) + len(self._plan.skipped_wells)
        result = RunResult(
            status=status_of(order, wells, stopped=interrupted or self._options.stop.is_set()),
            output=self._output,
            plan=self._plan,
            wells=order,
            seconds=seconds,
            absent=absent_rows(self._plan, self._plate, order),
            estimates=self._estimate_rows,
            present=present_planes(self._plan, self._plate, order),
            **self._artifacts.finish(self._whole()),
        )
        results = self._output / self._options.results
        write_run_files(
            result, self._plate, self._plugins, results, self._options.pipeline_files, self._options.repeat
        )
        self._plugins.emit(
            RunFinished(
                plate=self._plan.plate,
                status=result.status,
                output=str(self._output),
                failed=tuple(record.well for record in result.failed),
                seconds=round(seconds, 3),
            )
        )
        return result
