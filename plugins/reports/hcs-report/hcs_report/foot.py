"""The foot of a page: the legend, how the thumbnails were made, and what is absent."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from PIL import ImageDraw

from hcs_core import PlatePicture, WellState
from hcs_report.layout import Box
from hcs_report.lettering import draw_text, fitted, text_width
from hcs_report.notes import explanation, listing, state_counts
from hcs_report.panel import (
    COLOURS,
    INK,
    PALE_INK,
    draw_absent_mark,
    draw_empty,
    draw_frame,
    draw_nothing,
    draw_unreadable_mark,
)

_SIZE = 13
_LINE = 19
_SWATCH = 22
_LEGEND_LINE = 32
_LEGEND_GAP = 28
_BETWEEN = 10
_COLUMN = 400
_FRAME = 3


@attrs.frozen(kw_only=True)
class Line:
    """A line of text, or an entry of the legend with its `symbol`, at (x, y) from the foot's corner."""

    x: int
    y: int
    text: str
    symbol: str = ""


@attrs.frozen(kw_only=True)
class Foot:
    """What stands in the foot, and how high it is in pixels."""

    lines: tuple[Line, ...]
    height: int


def foot_of(picture: PlatePicture, width: int) -> Foot:
    """Return the foot of a plate's picture, set in `width` pixels."""
    lines = list(_legend(picture, width))
    below = lines[-1].y + _LEGEND_LINE + _BETWEEN
    lines += [Line(x=0, y=below + index * _LINE, text=text) for index, text in enumerate(_wrapped(picture, width))]
    below = lines[-1].y + _LINE + _BETWEEN
    entries = listing(picture)
    columns = max(1, width // _COLUMN)
    down = -(-len(entries) // columns)
    for index, text in enumerate(entries):
        column, row = divmod(index, down)
        place = {"x": column * (width // columns), "y": below + row * _LINE}
        lines.append(Line(text=fitted(text, _SIZE, width // columns - _BETWEEN), **place))
    return Foot(lines=tuple(lines), height=max(line.y for line in lines) + _LINE)


def _legend(picture: PlatePicture, width: int) -> Iterator[Line]:
    counts = state_counts(picture)
    entries = {
        "whole": f"all planes there: {counts[WellState.WHOLE]:,}",
        "absent": f"planes absent: {counts[WellState.LACKING]:,}",
        "unreadable": "planes that cannot be read",
        "nothing": "nothing to show",
        "empty": f"no image: {counts[WellState.EMPTY]:,}",
    }
    x = y = 0
    for symbol, text in entries.items():
        length = _SWATCH + 8 + text_width(text, _SIZE)
        if x and x + length > width:
            x, y = 0, y + _LEGEND_LINE
        yield Line(x=x, y=y, text=text, symbol=symbol)
        x += length + _LEGEND_GAP


def _wrapped(picture: PlatePicture, width: int) -> Iterator[str]:
    line = ""
    for word in explanation(picture).split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, _SIZE) > width:
            yield line
            longer = word
        line = longer
    yield line


def draw_foot(draw: ImageDraw.ImageDraw, foot: Foot, *, left: int, top: int) -> None:
    """Draw the foot with its corner at a place."""
    for line in foot.lines:
        x, y = left + line.x, top + line.y
        if line.symbol:
            _draw_symbol(draw, line.symbol, Box(left=x, top=y, width=_SWATCH, height=_SWATCH))
            place = (x + _SWATCH + 8, y + _SWATCH // 2)
            draw_text(draw, place, line.text, size=_SIZE, colour=INK, anchor="lm")
        else:
            draw_text(draw, (x, y), line.text, size=_SIZE, colour=PALE_INK)


def _draw_symbol(draw: ImageDraw.ImageDraw, symbol: str, box: Box) -> None:
    inner = box.inner(_FRAME)
    if symbol == "empty":
        draw_empty(draw, box)
        return
    draw_frame(draw, box, COLOURS[WellState.WHOLE if symbol == "whole" else WellState.LACKING], _FRAME)
    corner = Box(left=inner.left, top=inner.top, width=9, height=9)
    if symbol == "absent":
        draw_absent_mark(draw, attrs.evolve(corner, left=inner.right - corner.width))
    elif symbol == "unreadable":
        draw_unreadable_mark(draw, corner)
    elif symbol == "nothing":
        draw_nothing(draw, inner)
