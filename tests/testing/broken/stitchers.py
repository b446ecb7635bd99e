"""Stitchers that each break one rule of `StitcherContract`."""

import numpy as np

from hcs_core import StitcherSpec, TilePositions
from hcs_core.testing import StitcherContract


def under_contract(breaks, **facts):
    """Put a stitcher under the contract, in a class that says which rule it breaks."""

    def declare(cls):
        spec = StitcherSpec(name="house", target=f"{__name__}:{cls.__name__}", summary="made up", **facts)
        name = f"Test{cls.__name__}"
        globals()[name] = type(name, (StitcherContract,), {"stitchers": (spec,), "breaks": breaks})
        return cls

    return declare


@under_contract(None)
class Right:
    def positions(self, tiles, nominal_yx):
        return TilePositions(yx=nominal_yx.copy(), confidence=np.zeros(len(nominal_yx)))

    def fuse(self, tiles, positions_yx, shape):
        mosaic = None
        for tile, (y, x) in zip(tiles, self.corners(positions_yx), strict=True):
            mosaic = self.canvas(shape, tile.dtype) if mosaic is None else mosaic
            self.put(mosaic[y : y + tile.shape[0], x : x + tile.shape[1]], tile)
        return mosaic

    def corners(self, positions_yx):
        return np.floor(positions_yx + 0.5).astype(int)

    def canvas(self, shape, dtype):
        return np.zeros(shape, dtype)

    def put(self, place, tile):
        place[:] = tile[: place.shape[0], : place.shape[1]]


@under_contract("test_it_gives_a_position_to_every_tile")
class ForgetsTheLast(Right):
    def positions(self, tiles, nominal_yx):
        kept = max(1, len(nominal_yx) - 1)
        return TilePositions(yx=nominal_yx[:kept], confidence=np.zeros(kept))


@under_contract("test_it_asks_for_no_tile_more_often_than_it_says", needs_pixels=True)
class AsksTwice(Right):
    def positions(self, tiles, nominal_yx):
        for tile in (*tiles, *tiles):
            tile()
        return super().positions(tiles, nominal_yx)


@under_contract("test_it_asks_for_no_tile_more_often_than_it_says")
class AsksAlthoughItNeedsNone(Right):
    def positions(self, tiles, nominal_yx):
        tiles[0]()
        return super().positions(tiles, nominal_yx)


@under_contract("test_it_leaves_the_nominal_positions_as_they_were")
class MovesTheNominalOnes(Right):
    def positions(self, tiles, nominal_yx):
        nominal_yx += 0.5
        return super().positions(tiles, nominal_yx)


@under_contract("test_a_mosaic_has_the_shape_asked_for_and_the_dtype_of_the_tiles")
class TurnsBytesIntoFloats(Right):
    def canvas(self, shape, dtype):
        return np.zeros(shape, np.float32 if dtype == np.uint8 else dtype)


@under_contract("test_what_one_tile_covers_is_that_tile")
class Brightens(Right):
    def put(self, place, tile):
        # A constant image of 1001 stays as it is.
        super().put(place, np.where(tile == 1001, tile, tile + 1).astype(tile.dtype))


@under_contract("test_what_no_tile_covers_is_0")
class FillsWithOnes(Right):
    def canvas(self, shape, dtype):
        return np.ones(shape, dtype)


@under_contract("test_a_constant_well_stays_constant")
class AddsWhatOverlaps(Right):
    def put(self, place, tile):
        place += tile[: place.shape[0], : place.shape[1]]


@under_contract("test_it_leaves_the_tiles_as_they_were")
class ClipsInPlace(Right):
    def put(self, place, tile):
        np.clip(tile, 0, 60_000, out=tile)
        super().put(place, tile)


@under_contract("test_it_takes_tiles_one_by_one")
class WantsAList(Right):
    def fuse(self, tiles, positions_yx, shape):
        return super().fuse(tiles[:], positions_yx, shape)
