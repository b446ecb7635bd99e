"""The writer `plate_picture`: one page that shows a whole plate, as PNG."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from hcs_core import PlatePicture
from hcs_report.foot import draw_foot, foot_of
from hcs_report.layout import MARGIN, layout_of
from hcs_report.lettering import draw_text
from hcs_report.notes import summary
from hcs_report.page_file import save_page
from hcs_report.panel import INK, PALE_INK, PAPER, draw_panel


def write(artifact: PlatePicture, path: Path) -> None:
    """Draw a plate into a PNG file, which is there whole or not at all.

    Parameters
    ----------
    artifact
        What is drawn; the same one gives the same bytes on one machine.
    path
        The file, in a folder that is there; one that is there is replaced.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    save_page(draw(artifact), path)


def draw(picture: PlatePicture) -> Image.Image:
    """Return the page as an RGB image; `hcs_report.layout` says where everything lies on it."""
    layout = layout_of(picture)
    room = layout.width - 2 * MARGIN
    foot = foot_of(picture, room, layout.scale)
    page = Image.new("RGB", (layout.width, layout.foot + foot.height + MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    name, line = (MARGIN, layout.scaled(18)), (MARGIN, layout.scaled(54))
    draw_text(pen, name, picture.name, size=layout.scaled(28), colour=INK, width=room)
    draw_text(pen, line, summary(picture), size=layout.scaled(14), colour=PALE_INK, width=room)
    for channel in picture.channels:
        draw_panel(page, picture, channel, layout)
    draw_foot(pen, foot, left=MARGIN, top=layout.foot)
    return page
