"""Columns of text, as wide as what stands in them, or as a terminal has room for."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import zip_longest

_GAP = "  "
_PIECE = re.compile(r"\S+?(?:[/(_]|(?<=\d)x(?=\d)|(?=\s)|$)\s*")
"""What is not broken: the words of a text, and the parts of a name, a call or a shape."""


def terminal_width() -> int:
    """Return how many columns the terminal on stdout has; 0 where there is none, as in a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def columns_text(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int = 0) -> list[str]:
    """Return a line for the heads and one for each row, indented; a column without any text is left out.

    With a `width`, the widest columns are made narrower until a line has room, and their texts go on below.
    """
    shown = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    table = [[row[place] for place in shown] for row in (columns, *rows)]
    widths = [max(map(len, texts)) for texts in zip(*table, strict=True)]
    if width:
        widths = _narrowed(widths, [_least(texts) for texts in zip(*table, strict=True)], width)
    lines = []
    for row in table:
        wrapped = [_wrapped(text, most) for text, most in zip(row, widths, strict=True)]
        for parts in zip_longest(*wrapped, fillvalue=""):
            cells = (f"{part:<{most}}" for part, most in zip(parts, widths, strict=True))
            lines.append((_GAP + _GAP.join(cells)).rstrip())
    return lines


def paragraph(word: str, text: str, indent: int, width: int = 0) -> str:
    """Return a word with what is said of it beside it; with a `width`, it goes on below itself."""
    line = f"{word:<{indent}}{text}"
    if not width:
        return line
    return textwrap.fill(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _narrowed(widths: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Return the widths of columns of which a line has room, no column narrower than what cannot be broken."""
    found = list(widths)
    while sum(found) + len(_GAP) * len(found) > width:
        wide = [place for place, own in enumerate(found) if own > least[place]]
        if not wide:
            break
        found[max(wide, key=found.__getitem__)] -= 1
    return found


def _least(texts: Sequence[str]) -> int:
    """Return the length of the longest piece of the texts of a column."""
    return max((len(piece.rstrip()) for text in texts for piece in _PIECE.findall(text)), default=0)


def _wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text; each is at most so wide."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]
