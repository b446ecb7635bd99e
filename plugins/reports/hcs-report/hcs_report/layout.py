"""Where everything lies on the page: pure arithmetic, in pixels from the upper left corner.

The page has a header, then the panels, one a channel, then the foot with legend and notes. A panel has its title, the
columns' numbers, a cell for each well of the plate, the rows' letters at its left, and the scale bar below. Rows and
columns of the plate in which no well has an image are drawn narrow: so a few wells of a large plate are large, and
still where they are on the plate. Text and what goes with it grow with the page; thumbnails do not: a pixel of theirs
is a pixel of the page.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from itertools import accumulate

import attrs

from hcs_core import PlatePicture, parse_well

MARGIN = 28
HEADER = 84
PANEL_TITLE = 46
COLUMN_NUMBERS = 18
ROW_LETTERS = 30
SCALE_BAR = 30
PANEL_GAP = 30

_NARROW = 22
_SMALLEST_THUMBNAIL = 16
_UNKNOWN_THUMBNAIL = 40
_FRAMES = ((48, 3, 4), (0, 2, 2))
"""For cells from so many pixels on: how thick the frame is, and how wide the gap between two."""

_LEAST_PANEL_WIDTH = 300
_LEAST_WIDTH = 900
_TEXT_FITS_WIDTH = 1_500
_LARGEST_TEXT = 1.5
_ASPECT = 16 / 9
"""Width by height of the panels together that is aimed at: a screen's."""


@attrs.frozen(kw_only=True)
class Box:
    """A rectangle: `right` and `bottom` are the first pixels beyond it."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beyond it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond it."""
        return self.top + self.height

    def inner(self, border: int) -> Box:
        """Return the box without a border."""
        return Box(
            left=self.left + border,
            top=self.top + border,
            width=self.width - 2 * border,
            height=self.height - 2 * border,
        )

    def centred(self, width: int, height: int) -> Box:
        """Return a box of another size in its middle; of an odd pixel, the larger part lies right and below."""
        left, top = self.left + (self.width - width) // 2, self.top + (self.height - height) // 2
        return Box(left=left, top=top, width=width, height=height)


@attrs.frozen(kw_only=True)
class Layout:
    """The places on a page.

    Attributes
    ----------
    width
        The page's.
    foot
        The row at which the foot begins.
    panels
        The box of each channel's panel, by the channel's number.
    scale
        By how much text, and the space for it, is larger than this module's constants say.
    frame
        How thick the frame around a thumbnail is; it lies within the cell.
    rows, columns
        Where each row and column of the plate begins, from the panel's corner, and how high or wide it is.
    """

    width: int
    foot: int
    panels: Mapping[int, Box]
    scale: float
    frame: int
    rows: tuple[tuple[int, int], ...]
    columns: tuple[tuple[int, int], ...]

    def scaled(self, length: int) -> int:
        """Return a length, or a size of text, that grows with the page."""
        return round(length * self.scale)

    def cell(self, channel: int, well: str) -> Box:
        """Return the cell of a well in the panel of a channel: frame and thumbnail."""
        row, column = parse_well(well)
        panel = self.panels[channel]
        (top, height), (left, width) = self.rows[row], self.columns[column]
        return Box(left=panel.left + left, top=panel.top + top, width=width, height=height)

    def thumbnail(self, channel: int, well: str, shape: tuple[int, int]) -> Box:
        """Return where a thumbnail of (rows, columns) lies: in the middle of its cell."""
        height, width = shape
        return self.cell(channel, well).centred(width, height)

    def absent_mark(self, channel: int, well: str) -> Box:
        """Return where the mark of absent planes lies: the cell's upper right corner, within the frame."""
        inner = self.cell(channel, well).inner(self.frame)
        side = _mark_side(inner)
        return Box(left=inner.right - side, top=inner.top, width=side, height=side)

    def unreadable_mark(self, channel: int, well: str) -> Box:
        """Return where the mark of unreadable planes lies: the cell's upper left corner, within the frame."""
        inner = self.cell(channel, well).inner(self.frame)
        side = _mark_side(inner)
        return Box(left=inner.left, top=inner.top, width=side, height=side)

    def sites_strip(self, channel: int, well: str, height: int) -> Box:
        """Return where the sites that lack planes are named: along the cell's lower edge, within the frame."""
        inner = self.cell(channel, well).inner(self.frame)
        return Box(left=inner.left, top=inner.bottom - height, width=inner.width, height=height)


def _mark_side(inner: Box) -> int:
    return max(7, min(inner.width, inner.height) // 5)


def layout_of(picture: PlatePicture) -> Layout:
    """Return where everything of a plate's picture lies; equal pictures have equal layouts."""
    small = _layout(picture, 1.0)
    return _layout(picture, min(_LARGEST_TEXT, max(1.0, small.width / _TEXT_FITS_WIDTH)))


def _layout(picture: PlatePicture, scale: float) -> Layout:
    height, width = _largest_thumbnail(picture)
    frame, between = next((frame, gap) for least, frame, gap in _FRAMES if min(height, width) >= least)
    places = [parse_well(well) for well in picture.wells]
    used = [{place[axis] for place in places} for axis in (0, 1)]
    title, letters = round((PANEL_TITLE + COLUMN_NUMBERS) * scale), round(ROW_LETTERS * scale)
    rows = _spans(title, picture.plate_format[0], used[0], height + 2 * frame, between)
    columns = _spans(letters, picture.plate_format[1], used[1], width + 2 * frame, between)
    panel_width = max(round(_LEAST_PANEL_WIDTH * scale), sum(columns[-1]))
    panel_height = sum(rows[-1]) + round(SCALE_BAR * scale)
    numbers = [channel.number for channel in picture.channels]
    across = _across(len(numbers), panel_width, panel_height)
    header, gap = round(HEADER * scale), round(PANEL_GAP * scale)
    panels = {
        number: Box(
            left=MARGIN + (index % across) * (panel_width + gap),
            top=header + (index // across) * (panel_height + gap),
            width=panel_width,
            height=panel_height,
        )
        for index, number in enumerate(numbers)
    }
    right, bottom = (
        max((getattr(box, end) for box in panels.values()), default=header) for end in ("right", "bottom")
    )
    return Layout(
        width=max(_LEAST_WIDTH, right + MARGIN),
        foot=bottom + gap,
        panels=panels,
        scale=scale,
        frame=frame,
        rows=rows,
        columns=columns,
    )


def _largest_thumbnail(picture: PlatePicture) -> tuple[int, int]:
    shapes = [thumbnail.pixels.shape for thumbnail in picture.thumbnails.values()]
    height, width = (max((shape[axis] for shape in shapes), default=_UNKNOWN_THUMBNAIL) for axis in (0, 1))
    return max(height, _SMALLEST_THUMBNAIL), max(width, _SMALLEST_THUMBNAIL)


def _spans(start: int, count: int, used: Collection[int], full: int, gap: int) -> tuple[tuple[int, int], ...]:
    """Return where rows or columns begin and how long they are: those that are not used are narrow."""
    lengths = [full if index in used else min(_NARROW, full) for index in range(count)]
    starts = accumulate((length + gap for length in lengths[:-1]), initial=start)
    return tuple(zip(starts, lengths, strict=True))


def _across(count: int, width: int, height: int) -> int:
    """Return how many panels lie side by side, so that together they come nearest to the aspect aimed at."""

    def distance(across: int) -> float:
        down = -(-count // across)
        return abs(math.log(across * width / (down * height) / _ASPECT))

    return min(range(1, count + 1), key=distance, default=1)
