"""What the services of positions and of mosaics start from: a well's images in a folder, checked and readable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy.typing as npt

from hcs_core.errors import PlateError, RunError
from hcs_core.plate.found_images import FoundImage
from hcs_core.plate.inventory import Plate
from hcs_core.plate.reader import Readers
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.specs import StitcherSpec


@attrs.frozen(kw_only=True, eq=False)
class WellImages:
    """The images of one well below a folder, all of one shape.

    `plate` knows the positions of the well's fields; `shape` is that of every image; `pixel_size_um` the side of
    their pixels, `None` where it is unknown; `output` the folder of the plate's results.
    """

    plate: Plate
    well: str
    folder: Path
    output: Path
    images: tuple[FoundImage, ...]
    readers: Readers
    plugins: PluginManager
    spec: StitcherSpec
    shape: tuple[int, int]
    pixel_size_um: float | None

    @property
    def sites(self) -> tuple[int, ...]:
        """The sites that have an image, sorted."""
        return tuple(sorted({image.site for image in self.images}))

    def read(self, image: FoundImage) -> npt.NDArray[Any]:
        """Return the (y, x) pixels of an image.

        Raises
        ------
        ReadError
            It cannot be read.
        PlateError
            It has another shape than the first of them.
        """
        pixels = self.readers[image.reader].read(image.location, image.selector)
        if pixels.shape != self.shape:
            raise PlateError(
                f"{image.location} has {pixels.shape} pixels, {self.images[0].location} {self.shape}: images of one "
                "shape can be stitched; keep those of another in a folder of their own."
            )
        return pixels


def shape_of(image: FoundImage, readers: Readers) -> tuple[int, int]:
    """Return (y, x) of an image, from its header."""
    return readers[image.reader].header(image.location, image.selector).shape


def known_pixel_size(plate: Plate, shape: tuple[int, int], told: float | None) -> float | None:
    """Return the side of a pixel of images of some shape: as told, the plate's for images of its shape, else `None`.

    Raises
    ------
    RunError
        What is told is no size.
    """
    if told is None:
        return plate.pixel_size_um if shape == plate.image_shape else None
    if not 0 < told < float("inf"):
        raise RunError(f"pixel_size_um={told!r} is no size of a pixel: give micrometres above 0.")
    return told
