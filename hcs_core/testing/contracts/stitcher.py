"""`StitcherContract`: what every stitcher has to pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.errors import one_line
from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.specs import StitcherSpec
from hcs_core.runtime.stitcher import Stitcher, TilePositions
from hcs_core.testing.contracts.targets import imported

SIDE = 48
"""Rows and columns of a tile."""

GAP = 16
"""Pixels between tiles that do not overlap."""

Pixels = npt.NDArray[Any]


class CountedTiles:
    """Tiles of a well as `positions()` gets them; `calls` counts how often each was asked for."""

    def __init__(self, tiles: Sequence[Pixels]) -> None:
        self.calls = [0] * len(tiles)
        self.givers = [lambda index=index: self._give(index) for index in range(len(tiles))]
        self._tiles = tiles

    def _give(self, index: int) -> Pixels:
        self.calls[index] += 1
        return self._tiles[index].copy()


class StitcherContract:
    """What every stitcher has to pass: positions of every tile, and mosaics that show the tiles and nothing else.

    Each test runs for each of `stitchers`, with the defaults of their parameters. How well positions are found is no
    rule: that is measured, and said by the confidence.

    Attributes
    ----------
    stitchers
        What the plugin declares.
    arguments
        Values of parameters that have no default, by the stitcher's name.

    Examples
    --------
    ::

        class TestStitchers(StitcherContract):
            stitchers = tuple(plugin.hcs_stitchers())
    """

    stitchers: ClassVar[Sequence[StitcherSpec]]
    arguments: ClassVar[dict[str, dict[str, Any]]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each stitcher."""
        if "one" in metafunc.fixturenames:
            metafunc.parametrize("one", self.stitchers, ids=lambda spec: spec.name)

    # --- Positions ------------------------------------------------------------------------------------------

    def test_it_gives_a_position_to_every_tile(self, one: StitcherSpec) -> None:
        """`positions` returns a `TilePositions` of as many as there are tiles, one tile alone too."""
        for count in (1, 4):
            tiles, nominal = _field(count)
            found = self._positions(one, CountedTiles(tiles), nominal)
            given = len(found.yx) if isinstance(found, TilePositions) else type(found).__name__
            assert given == count, (
                f"positions() returns a TilePositions with one for each tile: {one.name} gave {given} for {count}; "
                "give a tile that nothing is found for its nominal position, with confidence 0."
            )

    def test_it_asks_for_no_tile_more_often_than_it_says(self, one: StitcherSpec) -> None:
        """Each tile once at most, as it is read then; none, where the spec says `needs_pixels=False`."""
        tiles, nominal = _field(4)
        counted = CountedTiles(tiles)
        self._positions(one, counted, nominal)
        most = 1 if one.needs_pixels else 0
        assert max(counted.calls) <= most, (
            f"positions() asks for each tile {most} times at most, as each time is a read: {one.name} asked "
            f"{max(counted.calls)} times; keep what it needs of a tile, or declare needs_pixels=True."
        )

    def test_it_leaves_the_nominal_positions_as_they_were(self, one: StitcherSpec) -> None:
        """They belong to the caller."""
        tiles, nominal = _field(4)
        before = nominal.copy()
        self._positions(one, CountedTiles(tiles), nominal)
        assert np.array_equal(nominal, before), (
            f"positions() must not change nominal_yx, which is the caller's: {one.name} does; work on a copy."
        )

    # --- Mosaics --------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
    def test_a_mosaic_has_the_shape_asked_for_and_the_dtype_of_the_tiles(self, one: StitcherSpec, dtype: str) -> None:
        """Whatever the positions are."""
        tiles, corners, shape = _apart(dtype)
        mosaic = self._fuse(one, tiles, corners, shape)
        found = (tuple(np.shape(mosaic)), str(getattr(mosaic, "dtype", type(mosaic).__name__)))
        assert found == (shape, dtype), (
            f"fuse() returns an array of the shape asked for, in the tiles' dtype: {one.name} gave {found} for "
            f"{(shape, dtype)}; make the mosaic with np.zeros(shape, tile.dtype)."
        )

    def test_what_one_tile_covers_is_that_tile(self, one: StitcherSpec) -> None:
        """At whole pixels, where nothing overlaps, every pixel is the tile's own."""
        tiles, corners, shape = _apart("uint16")
        mosaic = self._fuse(one, tiles, corners, shape)
        for number, (tile, place) in enumerate(zip(tiles, _places(corners), strict=True)):
            assert np.array_equal(mosaic[place], tile), (
                f"fuse() copies where one tile covers and positions are whole pixels: tile {number} of {one.name} "
                "is changed or lies elsewhere; leave its pixels as they are."
            )

    def test_what_no_tile_covers_is_0(self, one: StitcherSpec) -> None:
        """Nobody may take for an image what none has seen."""
        tiles, corners, shape = _apart("uint16")
        covered = np.zeros(shape, np.bool_)
        for place in _places(corners):
            covered[place] = True
        mosaic = self._fuse(one, tiles, corners, shape)
        assert not mosaic[~covered].any(), (
            f"fuse() leaves 0 where no tile lies: {one.name} does not; begin with np.zeros."
        )

    def test_a_constant_well_stays_constant(self, one: StitcherSpec) -> None:
        """Where tiles overlap, at fractions of a pixel, no seam appears: rounded, not cut, and never 0."""
        value, steps = 1001, np.array([0.0, 30.4, 60.7])
        tiles = [np.full((SIDE, SIDE), value, np.uint16) for _ in range(9)]
        corners = np.array([(y, x) for y in steps for x in steps])
        mosaic = self._fuse(one, tiles, corners, (61 + SIDE, 61 + SIDE))
        # A pixel at the rim may be covered in part only.
        inner = mosaic[1:-2, 1:-2]
        assert (inner == value).all(), (
            f"tiles of one grey value make a mosaic of that value: {one.name} makes {np.unique(inner).tolist()} of "
            f"{value}; let weights add up to 1 on every covered pixel, and round."
        )

    def test_it_leaves_the_tiles_as_they_were(self, one: StitcherSpec) -> None:
        """They may be read again by others: they are given read-only here."""
        tiles, corners, shape = _apart("uint16")
        for tile in tiles:
            tile.setflags(write=False)
        try:
            self._fuse(one, tiles, corners, shape)
        # What numpy, or a library below, says of a read-only array is what this is about.
        except ValueError as error:
            pytest.fail(
                f"fuse() must not change tiles: {one.name} raises {one_line(error)}; copy first.", pytrace=False
            )

    def test_it_takes_tiles_one_by_one(self, one: StitcherSpec) -> None:
        """A well need not fit into memory: tiles come from an iterator, in the order of the positions."""
        tiles, corners, shape = _apart("uint16")
        expected = self._fuse(one, tiles, corners, shape)
        try:
            found = self._made(one).fuse(_one_by_one(tiles), corners, shape, **self._told(one, one.fusion))
        # An iterator has no length and no items: whatever comes of asking is what this is about.
        except TypeError as error:
            pytest.fail(
                f"fuse() takes tiles from an iterator: {one.name} raises {one_line(error)}; use them in a for loop.",
                pytrace=False,
            )
        assert np.array_equal(found, expected), (
            f"fuse() gives the same mosaic from an iterator as from a list: {one.name} does not; go through the "
            "tiles once, in their order."
        )

    # --- How it is called -----------------------------------------------------------------------------------

    def _made(self, one: StitcherSpec) -> Stitcher:
        stitcher: Stitcher = imported(one.target)()
        return stitcher

    def _told(self, one: StitcherSpec, declared: tuple[Parameter, ...]) -> dict[str, Any]:
        given = self.arguments.get(one.name, {})
        return {item.name: given.get(item.name, item.default) for item in declared}

    def _positions(self, one: StitcherSpec, counted: CountedTiles, nominal: npt.NDArray[np.float64]) -> Any:
        return self._made(one).positions(counted.givers, nominal, **self._told(one, one.positions))

    def _fuse(
        self, one: StitcherSpec, tiles: Sequence[Pixels], corners: npt.NDArray[np.float64], shape: tuple[int, int]
    ) -> Any:
        return self._made(one).fuse(list(tiles), corners, shape, **self._told(one, one.fusion))


def _one_by_one(tiles: Sequence[Pixels]) -> Iterator[Pixels]:
    yield from tiles


def _noise(shape: tuple[int, int], dtype: str) -> Pixels:
    """Return an image in which every place looks different, from 1 upwards."""
    return np.random.default_rng(11).integers(1, 250, shape).astype(dtype)


def _field(count: int) -> tuple[list[Pixels], npt.NDArray[np.float64]]:
    """Return tiles in a row that overlap by a third, cut out of one image, and their positions."""
    step = 2 * SIDE // 3
    image = _noise((SIDE, step * count + SIDE), "uint16")
    tiles = [image[:, step * index : step * index + SIDE].copy() for index in range(count)]
    return tiles, np.array([(0.0, step * index) for index in range(count)], np.float64)


def _apart(dtype: str) -> tuple[list[Pixels], npt.NDArray[np.float64], tuple[int, int]]:
    """Return three tiles that do not touch, their whole positions, and a canvas with room around them."""
    step = SIDE + GAP
    corners = np.array([(GAP, GAP), (GAP, GAP + step), (GAP + step, GAP)], np.float64)
    tiles = [_noise((SIDE, SIDE), dtype) + np.asarray(number, dtype) for number in range(3)]
    return tiles, corners, (2 * step + GAP, 2 * step + GAP)


def _places(corners: npt.NDArray[np.float64]) -> list[tuple[slice, slice]]:
    return [(slice(y, y + SIDE), slice(x, x + SIDE)) for y, x in corners.astype(int).tolist()]
