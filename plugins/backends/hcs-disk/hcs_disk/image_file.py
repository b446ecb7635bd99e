"""An image in a TIFF file of its own: the writer `tiff`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hcs_core import ImageArtifact
from hcs_disk.ome import image_xml
from hcs_disk.places import PARTIAL
from hcs_disk.plane_files import write_page


def write(image: ImageArtifact, path: Path) -> None:
    """Write a (y, x) image as one raw page, whole or not at all.

    Pixel size is in the resolution tags and, with the channel's name, in OME-XML; dtypes that OME has no name for
    (`int64`, `uint64`, `float16`) get no text. What is larger than 4 GB is a BigTIFF. A mask (bool)
    becomes 0 and 1 of 8 bits.

    Raises
    ------
    ValueError
        The array is not (y, x).
    OSError
        The operating system refuses.
    """
    if image.pixels.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise ValueError(f"the array has the shape {image.pixels.shape}, and a TIFF of one page holds (y, x)")
    mask = image.pixels.dtype == np.bool_
    pixels = image.pixels.astype(np.uint8) if mask else image.pixels
    text = image_xml(path.stem, pixels.shape, pixels.dtype.name, image.pixel_size_um, image.channel)
    try:
        write_page(path, pixels, text, image.pixel_size_um)
    finally:
        Path(f"{path}{PARTIAL}").unlink(missing_ok=True)
