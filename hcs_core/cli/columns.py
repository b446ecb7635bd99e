"""Columns of text, as wide as what stands in them."""

from __future__ import annotations

from collections.abc import Sequence

_GAP = "  "


def columns_text(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for the heads and one for each row, indented; a column without any text is left out."""
    shown = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    table = [columns, *rows]
    widths = {place: max(len(row[place]) for row in table) for place in shown}
    return [(_GAP + _GAP.join(f"{row[place]:<{widths[place]}}" for place in shown)).rstrip() for row in table]
