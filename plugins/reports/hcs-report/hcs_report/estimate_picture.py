"""The writer `estimate_picture`: a plane before and after what was estimated, and the profile, as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from hcs_core import EstimatePicture
from hcs_report.lettering import draw_text
from hcs_report.page_file import save_page
from hcs_report.panel import INK, PALE_INK, PAPER, grey

SIDE = 420
"""The longest side of a panel's image, in pixels."""

_MARGIN = 24
_HEAD = 84
_TITLE = 26
_FOOT = 26
_PERCENTILES = (1.0, 95.0)
"""Which are black and white: what is bright may be white, so that the background shows how it is lit."""


def write(artifact: EstimatePicture, path: Path) -> None:
    """Draw an estimate into a PNG file, which is there whole or not at all.

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


def draw(picture: EstimatePicture) -> Image.Image:
    """Return the page as an RGB image: before, after and, where there is one, the profile, with their grey values."""
    panels: list[tuple[str, npt.NDArray[Any], tuple[float, float]]] = [
        ("before", picture.before, _limits(picture.before)),
        ("after", picture.after, _limits(picture.after)),
    ]
    if picture.profile is not None:
        profile = picture.profile
        panels.append(("profile", profile, (float(profile.min()), float(profile.max()))))
    images = [Image.fromarray(grey(_small(pixels), limits)) for _, pixels, limits in panels]
    height = max(image.height for image in images)
    width = _MARGIN + sum(image.width + _MARGIN for image in images)
    page = Image.new("RGB", (width, _HEAD + _TITLE + height + _FOOT + _MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    room = width - 2 * _MARGIN
    draw_text(pen, (_MARGIN, 16), picture.title, size=22, colour=INK, width=room)
    draw_text(pen, (_MARGIN, 50), f"{picture.caption}; shown: {picture.plane}", size=13, colour=PALE_INK, width=room)
    left = _MARGIN
    for (name, _, limits), image in zip(panels, images, strict=True):
        below = _HEAD + _TITLE + image.height + 6
        draw_text(pen, (left, _HEAD), name, size=15, colour=INK, width=image.width)
        page.paste(image, (left, _HEAD + _TITLE))
        draw_text(pen, (left, below), limits_text(limits), size=13, colour=PALE_INK, width=image.width)
        left += image.width + _MARGIN
    return page


def limits_text(limits: tuple[float, float]) -> str:
    """Return which values are black and white."""
    return f"black {limits[0]:.4g}, white {limits[1]:.4g}"


def _limits(pixels: npt.NDArray[Any]) -> tuple[float, float]:
    finite = pixels[np.isfinite(pixels)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.percentile(finite, _PERCENTILES)
    return float(low), float(high)


def _small(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the means of blocks of pixels, few enough for a panel, or each pixel as a square."""
    block = -(-max(pixels.shape) // SIDE)
    if block == 1:
        times = max(1, SIDE // max(pixels.shape))
        return pixels.repeat(times, axis=0).repeat(times, axis=1)
    rows, columns = (max(1, length // block) for length in pixels.shape)
    high, wide = (min(block, length) for length in pixels.shape)
    whole = pixels[: rows * high, : columns * wide].astype(np.float64)
    means: npt.NDArray[np.float64] = whole.reshape(rows, high, columns, wide).mean(axis=(1, 3))
    return means
