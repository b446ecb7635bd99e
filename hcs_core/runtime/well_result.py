"""What a run's caller gets of one well, and how a whole run's wells are shown to people."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from hcs_core.arrays.table import Table

_SHOWN = 24
"""Wells that are shown one by one; failed ones come first."""

_COLUMNS = ("well", "status", "sites", "seconds", "peak memory", "error")
_MEGABYTE = 2**20


@attrs.frozen(kw_only=True)
class WellResult:
    """What became of a well.

    Attributes
    ----------
    well, status
        Its name, and `ok`, `failed`, `skipped` or `cached` (it was there already).
    sites
        The sites that were made.
    outputs
        The stores that have it.
    tables
        What was measured in it, by name; each is read when it is asked for.
    seconds, peak_memory_bytes
        How long it took, and the most memory that its process had so far; 0 where it was there already.
    error
        Why it failed, or `None`.
    """

    well: str
    status: str
    sites: tuple[int, ...] = ()
    outputs: tuple[Path, ...] = ()
    tables: Mapping[str, Table] = attrs.field(factory=dict, repr=lambda tables: str(tuple(tables)), eq=False)
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    error: str | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """What is shown of it, for the columns of `_COLUMNS`."""
        memory = f"{self.peak_memory_bytes / _MEGABYTE:.0f} MB" if self.peak_memory_bytes else ""
        return self.well, self.status, str(len(self.sites)), f"{self.seconds:.2f}", memory, self.error or ""


def _chosen(wells: Iterable[WellResult]) -> tuple[list[WellResult], int]:
    """Return the wells to show, failed ones before others, and how many are not shown."""
    listed = sorted(wells, key=lambda well: well.status != "failed")
    return listed[:_SHOWN], max(0, len(listed) - _SHOWN)


def wells_text(head: str, wells: Iterable[WellResult], tables: Sequence[str]) -> str:
    """Return a run's wells as lines of text."""
    shown, more = _chosen(wells)
    rows = [_COLUMNS, *(well.cells for well in shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    rest = [f"... and {more} more"] if more else []
    measured = [f"tables: {', '.join(tables)}"] if tables else []
    return "\n".join([head, *(f"  {line}" for line in (*lines, *rest, *measured))])


def wells_html(head: str, wells: Iterable[WellResult], tables: Sequence[str]) -> str:
    """Return a run's wells as a piece of HTML that needs nothing else; every text is escaped."""
    shown, more = _chosen(wells)
    cell = "text-align:left;padding:2px 8px"
    names = "".join(f'<th style="{cell}">{html.escape(name)}</th>' for name in _COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f'<td style="{cell}">{html.escape(text)}</td>' for text in well.cells) + "</tr>"
        for well in shown
    )
    rest = f"<p>... and {more} more</p>" if more else ""
    measured = f"<p>tables: {html.escape(', '.join(tables))}</p>" if tables else ""
    return (
        f"<div><p><b>{html.escape(head)}</b></p><table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>"
        f"{rest}{measured}</div>"
    )
