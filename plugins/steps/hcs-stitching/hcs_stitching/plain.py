"""The stitcher `plain`: tiles where the stage says that they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core import TilePositions


class PlainStitcher:
    """Takes the stage's word for positions, and copies tiles to whole pixels.

    Examples
    --------
    >>> import numpy as np
    >>> left, right = np.full((2, 3), 1, np.uint8), np.full((2, 3), 2, np.uint8)
    >>> PlainStitcher().fuse([left, right], np.array([[0.0, 0.0], [0.0, 2.0]]), (2, 6))
    array([[1, 1, 1, 2, 2, 0],
           [1, 1, 1, 2, 2, 0]], dtype=uint8)
    """

    def positions(self, tiles: Sequence[Any], nominal_yx: npt.NDArray[np.float64]) -> TilePositions:  # noqa: ARG002
        """Return the nominal positions, fractions and all; no tile is asked for.

        The confidence of each is 0: no pixel has confirmed it.
        """
        return TilePositions(yx=nominal_yx.copy(), confidence=np.zeros(len(nominal_yx)))

    def fuse(
        self,
        tiles: Iterable[npt.NDArray[Any]],
        positions_yx: npt.NDArray[np.float64],
        shape: tuple[int, int],
        *,
        overlap: str = "first",
    ) -> npt.NDArray[Any]:
        """Return the (y, x) mosaic of `shape`, in the tiles' dtype; 0 where no tile lies.

        A tile lies at the whole pixel nearest to its position, halves upwards: wherever the origin is, tiles that are
        as far from each other lie as far from each other. What reaches beyond `shape` is cut off.

        Parameters
        ----------
        tiles
            (y, x) arrays of one dtype, one at a time; their shapes may differ.
        positions_yx
            (n, 2) float64: the first pixel of each tile, in pixels of the mosaic.
        shape
            (y, x) of the mosaic.
        overlap
            A pixel that several tiles cover is that of the `first` of them, or of the `last`; none is blended.

        Raises
        ------
        ValueError
            There is no tile, there are more or fewer than positions, or they differ in dtype.
        """
        corners = np.floor(positions_yx + 0.5).astype(np.int64)
        mosaic: npt.NDArray[Any] | None = None
        covered = np.zeros(shape if overlap == "first" else (0, 0), np.bool_)
        for tile, (y, x) in zip(tiles, corners.tolist(), strict=True):
            if mosaic is None:
                mosaic = np.zeros(shape, tile.dtype)
            if tile.dtype != mosaic.dtype:
                raise ValueError(f"tiles of {mosaic.dtype} and of {tile.dtype}: a mosaic has one dtype")
            rows, place_rows = _within(y, tile.shape[0], shape[0])
            columns, place_columns = _within(x, tile.shape[1], shape[1])
            part, place = tile[rows, columns], (place_rows, place_columns)
            if overlap == "first":
                np.copyto(mosaic[place], part, where=~covered[place])
                covered[place] = True
            else:
                mosaic[place] = part
        if mosaic is None:
            raise ValueError("there is no tile to make a mosaic of")
        return mosaic


def _within(start: int, length: int, limit: int) -> tuple[slice, slice]:
    """Return which part of a tile's side lies on the canvas, and where."""
    first, last = min(max(start, 0), limit), min(max(start + length, 0), limit)
    return slice(first - start, last - start), slice(first, last)
