"""What finds the positions of tiles and fuses them into one mosaic: the `Stitcher` protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import RunError, did_you_mean
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import Parameter
from hcs_core.plugins.stitcher_choice import chosen_stitcher

Tile = Callable[[], npt.NDArray[Any]]
"""Gives the (y, x) plane of a site, when it is called; called once at most."""


def _float64(value: Any) -> npt.NDArray[np.float64]:
    return np.asarray(value, np.float64)


@attrs.frozen(kw_only=True, eq=False)
class TilePositions:
    """Where tiles lie: (n, 2) float64 `yx` in pixels, y down, and (n,) float64 `confidence` from 0 to 1.

    A position is that of the centre of a tile's first pixel. The confidence says how well the pixels of a tile
    confirm it; 0 is a position that nothing but the stage vouches for.

    Raises
    ------
    ValueError
        The shapes do not fit, a position is not finite, or a confidence is not from 0 to 1.
    """

    yx: npt.NDArray[np.float64] = attrs.field(converter=_float64)
    confidence: npt.NDArray[np.float64] = attrs.field(converter=_float64)

    def __attrs_post_init__(self) -> None:
        """Refuse what are no positions."""
        if self.yx.shape != (len(self.confidence), 2) or self.confidence.ndim != 1:
            raise ValueError(
                f"positions of shape {self.yx.shape} with confidences of shape {self.confidence.shape}: expected "
                "(n, 2) and (n,)"
            )
        if not np.isfinite(self.yx).all():
            raise ValueError("a position is not finite: expected a number of pixels for each tile")
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all():
            raise ValueError("a confidence is not from 0 to 1")


@runtime_checkable
class Stitcher(Protocol):
    """Finds where tiles lie, and fuses them; made without arguments, a new one each time, used by one thread.

    The least that works trusts the stage, and copies::

        class MyStitcher:
            def positions(self, tiles, nominal_yx):
                return TilePositions(yx=nominal_yx, confidence=np.zeros(len(nominal_yx)))

            def fuse(self, tiles, positions_yx, shape):
                mosaic = None
                for tile, (y, x) in zip(tiles, np.rint(positions_yx).astype(int), strict=True):
                    mosaic = np.zeros(shape, tile.dtype) if mosaic is None else mosaic
                    mosaic[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
                return mosaic

    Both take the keyword parameters that the stitcher's spec declares (`positions` and `fusion`).
    """

    def positions(
        self, tiles: Sequence[Tile], nominal_yx: npt.NDArray[np.float64], **parameters: Any
    ) -> TilePositions:
        """Return the position of each tile.

        Parameters
        ----------
        tiles
            Give the (y, x) planes, all of one dtype; a stitcher whose spec says `needs_pixels=False` calls none.
        nominal_yx
            (n, 2) float64: where the stage says that each tile's first pixel lies, in pixels, y down.
        **parameters
            What the spec's `positions` declare.
        """
        ...

    def fuse(
        self,
        tiles: Iterable[npt.NDArray[Any]],
        positions_yx: npt.NDArray[np.float64],
        shape: tuple[int, int],
        **parameters: Any,
    ) -> npt.NDArray[Any]:
        """Return the mosaic: an array of `shape`, of the tiles' dtype, 0 where no tile lies.

        Parameters
        ----------
        tiles
            The (y, x) planes in the order of their positions, asked for one at a time, so that no more than one need
            be in memory.
        positions_yx
            (n, 2) float64: where each tile's first pixel lies, in pixels from the centre of the mosaic's first pixel.
        shape
            (y, x) of the mosaic.
        **parameters
            What the spec's `fusion` declares.
        """
        ...


def new_stitcher(plugins: PluginManager, name: str | None = None) -> Stitcher:
    """Return a new stitcher, the default one unless a name is given.

    Raises
    ------
    UnknownNameError
        None of that name is installed, or none at all.
    """
    stitcher: Stitcher = plugins.stitchers.make(chosen_stitcher(plugins.stitchers, name).name)
    return stitcher


def checked_parameters(stitcher: str, declared: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a stitcher is called with: those given, and the defaults of the others.

    Raises
    ------
    RunError
        One is unknown, wrong, or missing.
    """
    names = {parameter.name: parameter for parameter in declared}
    for name in given:
        if name not in names:
            raise RunError(
                f"the stitcher {stitcher!r} has no parameter {name!r}.{did_you_mean(name, names)} It has "
                f"{', '.join(names) or 'none'}."
            )
    for parameter in declared:
        if parameter.required and parameter.name not in given:
            raise RunError(f"the stitcher {stitcher!r} needs {parameter.name}={parameter.expected()}.")
        wrong = parameter.problem(given[parameter.name]) if parameter.name in given else None
        if wrong is not None:
            raise RunError(f"the parameter {parameter.name!r} of the stitcher {stitcher!r} is wrong: {wrong}.")
    return {parameter.name: given.get(parameter.name, parameter.default) for parameter in declared}
