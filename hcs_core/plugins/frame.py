"""How an operation changes the frame of a plane: which pixels are kept, and how many become one."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from hcs_core.plugins.parameter import ParameterValue


@attrs.frozen(kw_only=True)
class FrameChange:
    """What becomes of a plane's frame.

    `shape` is that of what is returned; each of its pixels is as wide as `scale` pixels of the input; the centre of
    its first pixel lies at `origin` (y, x) in the input's pixels, from the centre of the input's first.
    """

    shape: tuple[int, int]
    scale: int = 1
    origin: tuple[float, float] = (0.0, 0.0)


@attrs.frozen(kw_only=True)
class Frame:
    """How an operation changes the frame of a plane, told by the names of parameters; empty: not at all.

    Attributes
    ----------
    bin
        The parameter that says how many pixels, along each side, become one. Rows and columns that are left over at
        the end are dropped.
    crop
        The four parameters that say the first row, the first column (0-based), the rows and the columns that are
        kept; rows and columns of `None` go to the end.
    """

    bin: str = ""
    crop: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Refuse what says two things, or half of one."""
        if bool(self.bin) == bool(self.crop) or len(self.crop) not in {0, 4}:
            raise ValueError(
                f"Frame(bin={self.bin!r}, crop={self.crop!r}): give the parameter of bin, or the four of crop"
            )

    def change(self, shape: tuple[int, int], parameters: Mapping[str, ParameterValue]) -> FrameChange:
        """Return what becomes of a frame of (y, x) pixels under an operation's parameters.

        Raises
        ------
        ValueError
            Nothing is left of it, or it does not hold what is to be kept.
        """
        height, width = shape
        if self.bin:
            factor = _whole(parameters[self.bin])
            if factor < 1 or not (height // factor and width // factor):
                raise ValueError(f"{self.bin}={factor} leaves nothing of {height} x {width} pixels")
            middle = (factor - 1) / 2
            return FrameChange(shape=(height // factor, width // factor), scale=factor, origin=(middle, middle))
        y, x = (_whole(parameters[name]) for name in self.crop[:2])
        rows, columns = (
            whole - first if parameters[name] is None else _whole(parameters[name])
            for name, whole, first in zip(self.crop[2:], shape, (y, x), strict=True)
        )
        if min(y, x) < 0 or min(rows, columns) < 1 or y + rows > height or x + columns > width:
            kept = ", ".join(f"{name}={parameters[name]}" for name in self.crop)
            raise ValueError(f"{kept} does not lie within {height} x {width} pixels")
        return FrameChange(shape=(rows, columns), origin=(float(y), float(x)))


def _whole(value: ParameterValue) -> int:
    if not isinstance(value, int):
        raise ValueError(f"expected a whole number, found {value!r}")  # noqa: TRY004 - as of any other wrong value
    return value
