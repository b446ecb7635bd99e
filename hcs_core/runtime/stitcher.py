"""What finds the positions of a well's sites and fuses them: the `Stitcher` protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy.typing as npt


@attrs.frozen(kw_only=True, eq=False)
class TilePositions:
    """Where tiles lie: (n, 2) float64 `yx` of first pixels, y down, and (n,) float64 `confidence`, 0 to 1."""

    yx: npt.NDArray[Any]
    confidence: npt.NDArray[Any]


@runtime_checkable
class Stitcher(Protocol):
    """Finds positions and fuses tiles; made without arguments, a new one each time, used by one thread."""

    def positions(
        self, tiles: Sequence[Callable[[], npt.NDArray[Any]]], nominal_yx: npt.NDArray[Any], **parameters: Any
    ) -> TilePositions:
        """Return where tiles lie; `tiles[i]()` gives the (y, x) plane of one, and is called at most once."""
        ...

    def fuse(
        self,
        tiles: Iterable[npt.NDArray[Any]],
        positions_yx: npt.NDArray[Any],
        shape: tuple[int, int],
        **parameters: Any,
    ) -> npt.NDArray[Any]:
        """Return the (y, x) mosaic of tiles that come one at a time, in the order of their positions."""
        ...
