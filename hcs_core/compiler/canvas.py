"""Canvases: where the mosaic of a well lies, told from where its fields lie, before any pixel is read.

A mosaic's pixels are those of the well's first site: the others lie at fractions of a pixel from them, as the stage
says. Its origin and size are whole multiples of `SNAP` pixels, so that wells that are alike share a canvas although
no stage stops at the same place twice.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.compiler.given_positions import GivenPositions
from hcs_core.compiler.image_plan import ImagePlan

SNAP = 64
"""In pixels of the mosaic."""

_DIGITS = 3
"""Of nominal positions in pixels: a stage knows less, and its um divided by a pixel size are seldom whole."""

Points = npt.NDArray[np.float64]
"""(n, 2) float64, y and x; NaN where unknown."""


@attrs.frozen(kw_only=True)
class Canvas:
    """A well's canvas: (y, x) of its first pixel from the well's centre, and its shape, in pixels of the mosaic.

    One of its pixels is as wide as `scale` pixels of the plate's planes.
    """

    origin: tuple[int, int]
    shape: tuple[int, int]
    scale: int


@attrs.frozen(kw_only=True, eq=False)
class Placed:
    """Where the tiles of wells lie: (n, 2) `yx` of first pixels, and what is added to them to be exact.

    Both are in pixels of the tiles, from the well's centre; `fraction` is (wells, 2), and NaN where no position of
    the well is known.
    """

    yx: Points
    fraction: Points


@attrs.frozen(kw_only=True)
class TileFrame:
    """What tiles to be stitched share.

    Attributes
    ----------
    shape
        (y, x) of a tile.
    field_shape, scale, origin, pixel_size_um
        How it lies on the plate's planes, as in `ImagePlan`.
    margin
        How many pixels a tile may be moved from where the stage says that it lies.
    given
        Positions that the pipeline gives in place of the stage's.
    """

    shape: tuple[int, int]
    field_shape: tuple[int, int]
    scale: int
    origin: tuple[float, float]
    pixel_size_um: float | None
    margin: int = 0
    given: GivenPositions | None = None

    @classmethod
    def of(cls, image: ImagePlan, margin: int = 0, given: GivenPositions | None = None) -> TileFrame:
        """Return the frame of an image's planes."""
        return cls(
            shape=image.shape,
            field_shape=image.field_shape or image.shape,
            scale=image.scale,
            origin=image.origin,
            pixel_size_um=image.pixel_size_um,
            margin=margin,
            given=given,
        )

    def knows(self, well: str, sites: Sequence[int], places: Container[tuple[str, int]]) -> bool:
        """Whether it is known where all these sites lie, of those `places` (well, site) whose position is known."""
        if self.given is not None:
            return set(sites) <= set(self.given.of(well))
        return len(sites) == 1 or (self.pixel_size_um is not None and all((well, site) in places for site in sites))

    def placed(self, wells: Sequence[tuple[str, Sequence[int]]], centres: Points) -> Placed:
        """Return where tiles lie whose fields have these centres.

        Parameters
        ----------
        wells
            Names and sites: what `centres` are of, one after the other.
        centres
            In um from the well's centre, NaN where unknown. One site alone may lie anywhere: it is at 0.
        """
        counts = np.array([len(sites) for _, sites in wells])
        starts = np.cumsum(counts) - counts
        first = self._first_pixels(centres, np.repeat(counts, counts) == 1)
        if self.given is not None:
            return self._as_given(wells, first, starts)
        origin = first[starts]
        whole = np.floor(origin + 0.5)
        known = ~np.isnan(centres[starts])
        yx = first - np.repeat(origin - whole, counts, axis=0)
        return Placed(yx=np.round(yx, _DIGITS), fraction=np.where(known, origin - whole, np.nan))

    def _first_pixels(self, centres: Points, alone: npt.NDArray[np.bool_]) -> Points:
        """Return each tile's first pixel from the well's centre, in its own pixels."""
        pixel = math.nan if self.pixel_size_um is None else self.pixel_size_um / self.scale
        centre = centres / pixel
        centre[alone[:, np.newaxis] & np.isnan(centre)] = 0.0
        first: Points = (centre + self.origin - (np.array(self.field_shape) - 1) / 2) / self.scale
        return first

    def _as_given(
        self, wells: Sequence[tuple[str, Sequence[int]]], first: Points, starts: npt.NDArray[np.int64]
    ) -> Placed:
        """Return given positions, moved together by whole pixels to where the stage says that the well's fields lie.

        They say how tiles lie to each other, and not where in the well.
        """
        placed, fractions = np.empty_like(first), np.full((len(wells), 2), np.nan)
        for index, ((well, sites), start) in enumerate(zip(wells, starts.tolist(), strict=True)):
            part = slice(start, start + len(sites))
            given = self.given.of(well) if self.given else {}
            own = np.array([given[site] for site in sites])
            moved = first[part] - own
            known = moved[~np.isnan(moved).any(axis=1)]
            middle = np.median(known, axis=0) if len(known) else np.zeros(2)
            whole = np.floor(middle + 0.5)
            placed[part] = own + whole
            if len(known):
                fractions[index] = middle - whole
        return Placed(yx=placed, fraction=fractions)

    def canvases(self, wells: Sequence[tuple[str, Sequence[int]]], centres: Points) -> list[Canvas]:
        """Return the canvas of each well: its tiles, and how far they may be moved, in whole multiples of `SNAP`."""
        yx = self.placed(wells, centres).yx
        counts = np.array([len(sites) for _, sites in wells])
        starts = np.cumsum(counts) - counts
        # One tile alone has nothing to be moved against, and what was given is where it is.
        margin = np.where((counts == 1) | (self.given is not None), 0, self.margin)[:, np.newaxis]
        low = np.floor((np.minimum.reduceat(yx, starts) - margin) / SNAP).astype(np.int64) * SNAP
        high = np.ceil((np.maximum.reduceat(yx, starts) + self.shape + margin) / SNAP).astype(np.int64) * SNAP
        return [
            Canvas(origin=(y, x), shape=(height, width), scale=self.scale)
            for (y, x), (height, width) in zip(low.tolist(), (high - low).tolist(), strict=True)
        ]


def centres_of(sites: Sequence[int], positions: Mapping[int, tuple[float, float]]) -> Points:
    """Return (y, x) in um of the centre of each site; NaN where it is not known."""
    return np.array([positions.get(site, (math.nan, math.nan)) for site in sites], np.float64).reshape(-1, 2)
