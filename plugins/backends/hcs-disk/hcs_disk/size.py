"""How many bytes and files a store takes at most: a file for each plane, and the index.

Light on purpose: a plan is made without tifffile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hcs_core import StoreLayout, StoreSize, plain_size


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
    plain = plain_size(layout, wells, mosaics)
    return StoreSize(bytes=plain.bytes, files=plain.files + 1)
