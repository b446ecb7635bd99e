"""Making whole wells visible, in stores and journal: at once, or several tiny ones together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import attrs

from hcs_core.compiler.plan import Plan
from hcs_core.compiler.step_plan import OutputPlan
from hcs_core.errors import HcsError, one_line
from hcs_core.plate.inventory import Plate
from hcs_core.runtime.journal import Journal
from hcs_core.runtime.task import Fault, WellRecord, WellTask
from hcs_core.runtime.well.mosaic_work import mosaic_translation
from hcs_core.storage.backend import FinishesMany, ImageStore
from hcs_core.storage.layout import FinishedWell, WellSummary

WAIT_SECONDS = 0.1
"""A well that took less, so soon after others were listed, waits for the next: a plate's list is written anew each
time."""


class Listing:
    """Lists whole wells.

    A tiny well may wait until the next record comes, or `flush`. What a killed run had waiting is made again: wells
    that took less than `WAIT_SECONDS` each.

    Parameters
    ----------
    plan, plate
        What is run.
    stores
        The stores of the plan's outputs, by name.
    journal
        Notes what is listed.
    told
        Is told of each record once its well is listed, or has failed to be.

    Attributes
    ----------
    estimates
        The digest of what was estimated of the plate, which wells are made with; set before the first is added.
    """

    def __init__(
        self,
        plan: Plan,
        plate: Plate,
        stores: Mapping[str, ImageStore],
        journal: Journal,
        told: Callable[[WellRecord], None],
    ) -> None:
        self._plan = plan
        self._plate = plate
        self._stores = stores
        self._journal = journal
        self._told = told
        self.estimates = ""
        self._waiting: list[tuple[WellRecord, WellTask]] = []
        self._listed_at = 0.0

    def add(self, record: WellRecord, task: WellTask) -> None:
        """Take a well whose images are whole."""
        self._waiting.append((record, task))
        if record.seconds >= WAIT_SECONDS or time.monotonic() - self._listed_at >= WAIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """List what waits."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._list(waiting)
        except (HcsError, OSError):
            # Which of them it is shows one by one; wells that were described already may be once more.
            for each in waiting:
                self._list_one(each)
        else:
            for record, _ in waiting:
                self._told(record)
        self._listed_at = time.monotonic()

    def _list_one(self, each: tuple[WellRecord, WellTask]) -> None:
        record = each[0]
        try:
            self._list([each])
        except (HcsError, OSError) as error:
            record = attrs.evolve(record, status="failed", sites=(), fault=Fault(error=one_line(error)))
        self._told(record)

    def _list(self, wells: Sequence[tuple[WellRecord, WellTask]]) -> None:
        for name, store in self._stores.items():
            finished = [
                self._finished(record, task, name)
                for record, task in wells
                if name in self._plan.stores_of(record.well)
            ]
            if isinstance(store, FinishesMany):
                store.finish_wells(finished)
            else:
                for well in finished:
                    store.finish_well(well)
        self._journal.note([(record, task.digest()) for record, task in wells], self.estimates)

    def _finished(self, record: WellRecord, task: WellTask, store: str) -> FinishedWell:
        """Return what a store is told of a well: the images of its sites, its mosaic, or both."""
        finished = FinishedWell(well=record.well, sites=(), summary=record.summaries.get(store, WellSummary()))
        for output in self._plan.outputs:
            if output.store == store and output.image.is_mosaic:
                finished = attrs.evolve(
                    finished,
                    mosaic=task.shape.frame(output.image),
                    mosaic_translation=mosaic_translation(self._plan, output.image, task),
                )
            elif output.store == store:
                translations = self._translations(record, output)
                finished = attrs.evolve(finished, sites=record.sites, translations=translations)
        return finished

    def _translations(self, record: WellRecord, output: OutputPlan) -> dict[int, tuple[float, float]]:
        """Return where the first pixel's centre of each site lies, where that is known."""
        found = {}
        for site in record.sites:
            position = self._plate.positions.get((record.well, site))
            if position is None:
                continue
            first = output.image.first_pixel((position.y_um, position.x_um))
            if first is not None:
                found[site] = first
        return found
