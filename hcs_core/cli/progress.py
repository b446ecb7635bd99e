"""Progress on stderr: one bar, a line for each failed well; plain lines where there is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from hcs_core.plugins.events import Estimating, Event, RunStarted, WellFinished
from hcs_core.plugins.hookspecs import hookimpl

_PLAIN_LINES = 10
"""Without a terminal, a line for every tenth of the wells is enough."""


class ProgressListener:
    """A plugin of the command line that hears the events of a run."""

    hcs_api = 1

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._plate = ""
        self._done = 0
        self._wells = 0

    def __enter__(self) -> Self:
        """Return itself; the bar ends with the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.stop()

    @hookimpl
    def hcs_event(self, event: Event) -> None:
        """Show what happens."""
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, Estimating):
            self._estimate(event)
        elif isinstance(event, WellFinished):
            self._count(event)

    def _start(self, event: RunStarted) -> None:
        self._plate, self._done, self._wells = event.plate, event.cached, event.wells
        if self._quiet:
            return
        if event.cached:
            click.echo(f"{event.plate}: {event.cached} of {event.wells} wells are there already.", err=True)
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task(event.plate, total=event.wells, completed=event.cached)
            self._bar.start()

    def _estimate(self, event: Estimating) -> None:
        """Say what is estimated before the wells; the bar counts the wells that are sampled for it."""
        text = f"{event.plate}: estimating {event.parameter} of {event.step}"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text, total=event.wells, completed=event.sampled)
        elif not self._quiet and event.sampled == 0:
            click.echo(f"{text} from {event.wells} wells", err=True)

    def _count(self, event: WellFinished) -> None:
        self._done += 1
        if event.status == "failed":
            text = f"{event.well} failed: {event.error}"
            if self._bar is not None:
                self._bar.console.print(text, style="red", markup=False)
            else:
                click.echo(text, err=True)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=self._plate, total=self._wells, completed=self._done)
        elif not self._quiet and (self._done == self._wells or self._done % max(1, self._wells // _PLAIN_LINES) == 0):
            click.echo(f"{self._done} of {self._wells} wells", err=True)
            sys.stderr.flush()
