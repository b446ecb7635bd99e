"""The panel of one channel: a plate of thumbnails, their frames and marks, and the scale bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from hcs_core import PictureChannel, PictureMark, PlaneState, PlatePicture, WellState, row_name, well_name
from hcs_report.layout import SCALE_BAR, Box, Layout
from hcs_report.lettering import draw_text, text_width
from hcs_report.notes import channel_caption, channel_title, sites_text

PAPER = "#FFFFFF"
INK = "#202020"
PALE_INK = "#606060"
NOTHING = "#E4E4E4"
COLOURS = {WellState.WHOLE: "#0072B2", WellState.LACKING: "#D55E00", WellState.EMPTY: "#B0B0B0"}
"""Blue, vermillion and grey of Okabe and Ito (2008), "Color universal design": told apart in every colour vision."""

_STRIP = 15
_LARGEST_RING = 11
_LEAST_STRIP_WIDTH = 34
_BAR_FILLS = 0.8
"""The longest scale bar, in widths of a cell."""


def draw_panel(page: Image.Image, picture: PlatePicture, channel: PictureChannel, layout: Layout) -> None:
    """Draw the panel of a channel where the layout has it."""
    draw = ImageDraw.Draw(page)
    panel = layout.panels[channel.number]
    name, caption = channel_title(channel), channel_caption(picture, channel)
    below = panel.top + layout.scaled(24)
    draw_text(draw, (panel.left, panel.top), name, size=layout.scaled(18), colour=INK, width=panel.width)
    draw_text(draw, (panel.left, below), caption, size=layout.scaled(13), colour=PALE_INK, width=panel.width)
    _draw_labels(draw, panel, layout)
    marks: dict[str, list[PictureMark]] = {}
    for mark in picture.marks:
        if mark.channel == channel.number:
            marks.setdefault(mark.well, []).append(mark)
    rows, columns = picture.plate_format
    for row, column in np.ndindex(rows, columns):
        well = well_name(row, column)
        _draw_well(page, picture, channel, well, layout)
        _draw_marks(draw, marks.get(well, []), channel.number, well, layout)
    _draw_scale_bar(draw, channel, panel, layout)


def _draw_labels(draw: ImageDraw.ImageDraw, panel: Box, layout: Layout) -> None:
    """Write the columns' numbers and the rows' letters, small enough for the narrowest of them."""
    across, down = (min(length for _, length in lengths) for lengths in (layout.columns, layout.rows))
    size = max(9, min(layout.scaled(14), across - 6, down))
    numbers = panel.top + layout.rows[0][0] - 5
    for number, (left, width) in enumerate(layout.columns, start=1):
        draw_text(draw, (panel.left + left + width // 2, numbers), str(number), size=size, colour=INK, anchor="ms")
    letters = panel.left + layout.columns[0][0] - 7
    for row, (top, height) in enumerate(layout.rows):
        draw_text(draw, (letters, panel.top + top + height // 2), row_name(row), size=size, colour=INK, anchor="rm")


def _draw_well(page: Image.Image, picture: PlatePicture, channel: PictureChannel, well: str, layout: Layout) -> None:
    cell = layout.cell(channel.number, well)
    state = picture.states.get((well, channel.number), WellState.EMPTY)
    draw = ImageDraw.Draw(page)
    if state == WellState.EMPTY:
        draw_empty(draw, cell)
        return
    draw_frame(draw, cell, COLOURS[state], layout.frame)
    thumbnail = picture.thumbnails.get((well, channel.number))
    if thumbnail is None or channel.limits is None:
        draw_nothing(draw, cell.inner(layout.frame))
        return
    box = layout.thumbnail(channel.number, well, thumbnail.pixels.shape)
    page.paste(Image.fromarray(grey(thumbnail.pixels, channel.limits)), (box.left, box.top))


def grey(pixels: npt.NDArray[Any], limits: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """Return pixels as (y, x) uint8: linear from black at the first limit to white at the second.

    Where both limits are one value, it is black. What is no number is black too.
    """
    low, high = limits
    scaled = (np.nan_to_num(pixels.astype(np.float64), nan=low) - low) / ((high - low) or 1.0)
    return np.rint(scaled.clip(0.0, 1.0) * 255.0).astype(np.uint8)


def draw_frame(draw: ImageDraw.ImageDraw, cell: Box, colour: str, width: int) -> None:
    """Draw the frame of a well that has planes, and black within it."""
    draw.rectangle(_corners(cell), fill="#000000", outline=colour, width=width)


def draw_empty(draw: ImageDraw.ImageDraw, cell: Box) -> None:
    """Draw a well without an image: a small grey ring."""
    side = max(5, min(_LARGEST_RING, cell.width // 3, cell.height // 3))
    draw.ellipse(_corners(cell.centred(side, side)), outline=COLOURS[WellState.EMPTY], width=1)


def draw_nothing(draw: ImageDraw.ImageDraw, inner: Box) -> None:
    """Draw, within its frame, a well that should have an image and has none to show: crossed out."""
    left, top, right, bottom = _corners(inner)
    draw.rectangle((left, top, right, bottom), fill=NOTHING)
    colour = COLOURS[WellState.LACKING]
    draw.line((left, top, right, bottom), fill=colour, width=1)
    draw.line((left, bottom, right, top), fill=colour, width=1)


def draw_absent_mark(draw: ImageDraw.ImageDraw, box: Box) -> None:
    """Draw the mark of absent planes: a filled triangle in the upper right corner of its box."""
    left, top, right, bottom = _corners(box)
    draw.polygon(((left, top), (right, top), (right, bottom)), fill=COLOURS[WellState.LACKING], outline=PAPER)


def draw_unreadable_mark(draw: ImageDraw.ImageDraw, box: Box) -> None:
    """Draw the mark of unreadable planes: a white cross on a vermillion square."""
    left, top, right, bottom = _corners(box)
    draw.rectangle((left, top, right, bottom), fill=COLOURS[WellState.LACKING])
    thick = max(1, box.width // 6)
    draw.line((left + 1, top + 1, right - 1, bottom - 1), fill=PAPER, width=thick)
    draw.line((left + 1, bottom - 1, right - 1, top + 1), fill=PAPER, width=thick)


def _draw_marks(draw: ImageDraw.ImageDraw, marks: list[PictureMark], channel: int, well: str, layout: Layout) -> None:
    if any(mark.state != PlaneState.UNREADABLE for mark in marks):
        draw_absent_mark(draw, layout.absent_mark(channel, well))
    if any(mark.state == PlaneState.UNREADABLE for mark in marks):
        draw_unreadable_mark(draw, layout.unreadable_mark(channel, well))
    strip = layout.sites_strip(channel, well, _STRIP)
    if not marks or strip.width < _LEAST_STRIP_WIDTH:
        return
    sites = sorted({mark.site for mark in marks})
    text = sites_text(sites)
    if text_width(text, 11) > strip.width - 4:
        text = f"{len(sites)} sites" if len(sites) > 1 else f"{sites[0]}"
    draw.rectangle(_corners(strip), fill=COLOURS[WellState.LACKING])
    middle = (strip.left + strip.width // 2, strip.top + strip.height // 2)
    draw_text(draw, middle, text, size=11, colour=PAPER, anchor="mm", width=strip.width)


def _draw_scale_bar(draw: ImageDraw.ImageDraw, channel: PictureChannel, panel: Box, layout: Layout) -> None:
    """Draw a bar of a round length below the wells, where the size of a pixel is known."""
    if channel.um_per_pixel is None:
        return
    widest = max(width for _, width in layout.columns) * _BAR_FILLS
    length_um = round_length(widest * channel.um_per_pixel)
    bar = Box(
        left=panel.left + layout.columns[0][0],
        top=panel.bottom - layout.scaled(SCALE_BAR) // 2,
        width=round(length_um / channel.um_per_pixel),
        height=layout.scaled(4),
    )
    draw.rectangle(_corners(bar), fill=INK)
    place = (bar.right + layout.scaled(8), bar.top + bar.height // 2)
    draw_text(draw, place, f"{length_um:g} um", size=layout.scaled(13), colour=INK, anchor="lm")


def round_length(longest: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, 50, ... (and their tenths, ...) that is not above `longest`."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step for step in (1, 2, 5) if step * power <= longest) * power)


def _corners(box: Box) -> tuple[int, int, int, int]:
    """Return a box as Pillow takes it: with its last column and row."""
    return box.left, box.top, box.right - 1, box.bottom - 1
