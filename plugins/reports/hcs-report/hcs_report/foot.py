"""The foot of a page: the legend, how the thumbnails were made, and what is absent."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from PIL import ImageDraw

from hcs_core import PlatePicture, WellState
from hcs_report.layout import Box
from hcs_report.lettering import draw_text, text_width
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
    """A line of text, or an entry of the legend with its `symbol`, at (x, y) from the foot's corner.

    `width` is what its text may take; a longer one is cut.
    """

    x: int
    y: int
    text: str
    symbol: str = ""
    width: int | None = None


@attrs.frozen(kw_only=True)
class Foot:
    """What stands in the foot: its lines, its height in pixels, and by how much its text is larger than `_SIZE`."""

    lines: tuple[Line, ...]
    height: int
    scale: float


def foot_of(picture: PlatePicture, width: int, scale: float) -> Foot:
    """Return the foot of a plate's picture, set in `width` pixels."""
    size, leading, between = (round(length * scale) for length in (_SIZE, _LINE, _BETWEEN))
    lines = list(_legend(picture, width, scale))
    below = lines[-1].y + round(_LEGEND_LINE * scale) + between
    for text in _wrapped(explanation(picture), width, size):
        lines.append(Line(x=0, y=below, text=text))
        below += leading
    entries, columns = listing(picture), max(1, round(width / scale) // _COLUMN)
    wide, down = width // columns, -(-len(entries) // columns)
    for index, text in enumerate(entries):
        column, row = divmod(index, down)
        y = below + between + row * leading
        lines.append(Line(x=column * wide, y=y, text=text, width=wide - between))
    return Foot(lines=tuple(lines), height=max(line.y for line in lines) + leading, scale=scale)


def _legend(picture: PlatePicture, width: int, scale: float) -> Iterator[Line]:
    counts = state_counts(picture)
    entries = {
        "whole": f"all planes there: {_wells(counts[WellState.WHOLE])}",
        "lacking": f"something absent: {_wells(counts[WellState.LACKING])}",
        "absent": "planes without a file",
        "unreadable": "planes that cannot be read",
        "nothing": "no plane to show",
        "empty": f"no image: {_wells(counts[WellState.EMPTY])}",
    }
    x = y = 0
    for symbol, text in entries.items():
        length = round((_SWATCH + 8) * scale) + text_width(text, round(_SIZE * scale))
        if x and x + length > width:
            x, y = 0, y + round(_LEGEND_LINE * scale)
        yield Line(x=x, y=y, text=text, symbol=symbol)
        x += length + round(_LEGEND_GAP * scale)


def _wells(count: int) -> str:
    return f"{count:,} well" + ("" if count == 1 else "s")


def _wrapped(text: str, width: int, size: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size) > width:
            yield line
            longer = word
        line = longer
    yield line


def draw_foot(draw: ImageDraw.ImageDraw, foot: Foot, *, left: int, top: int) -> None:
    """Draw the foot with its corner at a place."""
    size, swatch, gap = (round(length * foot.scale) for length in (_SIZE, _SWATCH, 8))
    for line in foot.lines:
        x, y = left + line.x, top + line.y
        if line.symbol:
            _draw_symbol(draw, line.symbol, Box(left=x, top=y, width=swatch, height=swatch))
            draw_text(draw, (x + swatch + gap, y + swatch // 2), line.text, size=size, colour=INK, anchor="lm")
        else:
            draw_text(draw, (x, y), line.text, size=size, colour=PALE_INK, width=line.width)


def _draw_symbol(draw: ImageDraw.ImageDraw, symbol: str, box: Box) -> None:
    inner = box.inner(_FRAME)
    if symbol == "empty":
        draw_empty(draw, box)
        return
    draw_frame(draw, box, COLOURS[WellState.WHOLE if symbol == "whole" else WellState.LACKING], _FRAME)
    side = inner.width // 2
    corner = Box(left=inner.left, top=inner.top, width=side, height=side)
    if symbol == "absent":
        draw_absent_mark(draw, attrs.evolve(corner, left=inner.right - side))
    elif symbol == "unreadable":
        draw_unreadable_mark(draw, corner)
    elif symbol == "nothing":
        draw_nothing(draw, inner)
