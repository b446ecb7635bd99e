"""Text on a picture: whatever characters a plate's name has, it is drawn, and it fits.

Pillow brings one Latin font of its own, which looks the same on every machine. For a text with characters that it
lacks, a font of the machine is taken that has more of them.
"""

from __future__ import annotations

import bisect
import functools
import math
import unicodedata
from collections.abc import Iterator

from PIL import ImageDraw, ImageFont

FONT_FILES = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKjp-Regular.otf",
    "NotoSansCJKsc-Regular.otf",
    "wqy-zenhei.ttc",
    "Arial Unicode.ttf",
    "segoeui.ttf",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "Arial.ttf",
)
"""Files of fonts with many characters, as Linux, macOS and Windows call them; the first of the best is taken."""

_NO_CHARACTER = "\U0010fffd"
"""Of private use: no font has it, so that it is drawn as what a font draws for all that it lacks."""

_CUT = "..."

Font = ImageFont.FreeTypeFont


def draw_text(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    size: int,
    colour: str,
    anchor: str = "la",
    width: int | None = None,
) -> None:
    """Draw one line of text.

    Parameters
    ----------
    draw
        Where.
    place
        (x, y) of the anchor, in Pillow's words: `la` is left and at the ascender's height, `mm` the middle.
    text
        Any characters. Those that no font has are drawn as the font draws what it lacks.
    size
        The font's, in pixels.
    colour
        `#RRGGBB`.
    anchor
        Which point of the text `place` is.
    width
        What it may take; a longer text ends with `...`.
    """
    line = printable(text)
    font = font_of(line, size)
    shown = line if width is None else fitted(line, font, width)
    draw.text(place, shown, fill=colour, font=font, anchor=anchor)


def fitted(line: str, font: Font, width: float) -> str:
    """Return a line of text that is no wider than `width` pixels, cut and ended with `...` where it would be."""
    if font.getlength(line) <= width:
        return line
    fits = bisect.bisect_right(range(len(line)), width, key=lambda end: font.getlength(line[:end].rstrip() + _CUT))
    return line[: max(0, fits - 1)].rstrip() + _CUT


def text_width(text: str, size: int) -> int:
    """Return how many pixels wide a line of text is, rounded up."""
    line = printable(text)
    return math.ceil(font_of(line, size).getlength(line))


def printable(text: str) -> str:
    """Return a text on one line, without what is no character: bytes of a name that are no UTF-8, and controls."""
    return "".join("\ufffd" if unicodedata.category(char) in {"Cc", "Cs", "Cf"} else char for char in text)


@functools.lru_cache(maxsize=1024)
def font_of(text: str, size: int) -> Font:
    """Return the font that has the most of a text's characters; Pillow's own where it has all."""
    return _sized(min(_fonts_in_turn(text), key=lambda found: found[0])[1], size)


def _fonts_in_turn(text: str) -> Iterator[tuple[int, str]]:
    """Yield how many characters a font lacks, and its file; none after the first that lacks none."""
    for file in ("", *FONT_FILES):
        if file and not _is_there(file):
            continue
        lacking = sum(not _has(file, char) for char in set(text))
        yield lacking, file
        if not lacking:
            return


@functools.cache
def _is_there(file: str) -> bool:
    try:
        ImageFont.truetype(file, 16)
    except OSError:
        return False
    return True


@functools.cache
def _sized(file: str, size: int) -> Font:
    if file:
        return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)
    # In even sizes its spaces are so narrow that words run into each other.
    own = ImageFont.load_default(size | 1)
    if not isinstance(own, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install one of its wheels.")  # noqa: TRY004
    return own


@functools.cache
def _has(file: str, char: str) -> bool:
    """Whether a font has a character: what it lacks all looks the same."""
    if char.isspace():
        return True
    font = _sized(file, 16)
    return _shape(font, char) != _shape(font, _NO_CHARACTER)


def _shape(font: Font, char: str) -> tuple[object, bytes]:
    mask = font.getmask(char)
    return mask.size, bytes(mask)
