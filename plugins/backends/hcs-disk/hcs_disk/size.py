"""How many bytes and files a store takes at most: a file for each plane, and the index.

Light on purpose: a plan is made without tifffile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from hcs_core import StoreLayout, StoreSize


def store_size(layout: StoreLayout, wells: Mapping[str, Sequence[int]]) -> StoreSize:
    """Return the bytes of all pixels before compression (there are no pyramids), and the number of files.

    Parameters
    ----------
    layout
        The store's.
    wells
        Each well with its sites, all written whole.
    """
    planes = math.prod(layout.image.shape[:3]) * sum(map(len, wells.values()))
    plane = math.prod(layout.image.shape[3:]) * np.dtype(layout.image.dtype).itemsize
    return StoreSize(bytes=planes * plane, files=planes + 1)
