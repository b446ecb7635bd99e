"""An image on its own, as a writer gets it."""

from __future__ import annotations

from typing import Any

import attrs
import numpy.typing as npt


@attrs.frozen(kw_only=True, eq=False)
class ImageArtifact:
    """An image with what is known of it: the side of its pixels in um, and the name of its channel.

    Its pixels are (y, x), or what else a function makes. The writers of images (`tiff`, `npy`) get it.
    """

    pixels: npt.NDArray[Any]
    pixel_size_um: float | None = None
    channel: str = ""
