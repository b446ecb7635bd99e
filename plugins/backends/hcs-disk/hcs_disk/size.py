"""How many bytes and files a store takes at most: a file for each plane, and the index.

Light on purpose: a plan is made without tifffile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from hcs_core import StoreLayout, StoreSize, images_of


def store_size(
    layout: StoreLayout, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, tuple[int, int]]
) -> StoreSize:
    """Return the bytes of all pixels before compression (there are no pyramids), and the number of files.

    Parameters
    ----------
    layout
        The store's.
    wells
        Each well with its sites, all written whole.
    mosaics
        (y, x) of the mosaics of wells that have one.
    """
    size = planes = 0
    for count, image in images_of(layout, wells, mosaics):
        planes += count * math.prod(image.shape[:3])
        size += count * math.prod(image.shape) * np.dtype(image.dtype).itemsize
    return StoreSize(bytes=size, files=planes + 1)
