"""How far kernels of one operation may be apart: what every array library's kernel is held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    import numpy.typing as npt


def _check_limit(_instance: Any, attribute: attrs.Attribute[float], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError(f"{attribute.name}={value!r}: expected a number of at least 0")


@attrs.frozen(kw_only=True)
class Tolerance:
    """How far a kernel's result may be from that of another kernel of its operation.

    Attributes
    ----------
    levels
        Of integers: the grey levels between them at most.
    relative
        Of floats: the difference, divided by the largest value that is expected (or 1, if that is larger).
    grows_with
        The name of a parameter: with its value `v`, both limits are `1 + v` times as large. Empty: they are fixed.
    input_range
        Where a float image becomes integers, as by a threshold: pixels may differ, as long as all that do were next
        to each other in the image, within this part of the range between its smallest and its largest value.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_core import Tolerance
    >>> tolerance = Tolerance(levels=1)
    >>> tolerance.excess(np.array([5], "uint8"), np.array([7], "uint8"))
    1.0
    >>> print(tolerance)
    within 1 grey level on integers, within 1e-05 of the largest value on floats
    """

    levels: float = attrs.field(default=0.0, validator=_check_limit)
    relative: float = attrs.field(default=1e-5, validator=_check_limit)
    grows_with: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    input_range: float = attrs.field(default=0.0, validator=_check_limit)

    def __str__(self) -> str:
        """Return it in words."""
        if not self.levels and not self.relative:
            told = "exactly"
        else:
            integers = (
                f"within {self.levels:g} grey level{'' if self.levels == 1 else 's'}" if self.levels else "exactly"
            )
            floats = f"within {self.relative:g} of the largest value" if self.relative else "exactly"
            told = f"{integers} on integers, {floats} on floats"
        grown = f"; both times 1 + {self.grows_with}" if self.grows_with else ""
        near = f", but for float pixels within {self.input_range:g} of the image's range" if self.input_range else ""
        return told + grown + near

    def at(self, values: Mapping[str, Any]) -> Tolerance:
        """Return the limits for the values of an operation's parameters."""
        if not self.grows_with:
            return self
        factor = 1.0 + float(values[self.grows_with])
        return attrs.evolve(self, levels=self.levels * factor, relative=self.relative * factor, grows_with="")

    def excess(
        self, found: npt.NDArray[Any], expected: npt.NDArray[Any], image: npt.NDArray[Any] | None = None
    ) -> float:
        """Return by how much the largest difference is over the limit; 0 or less where all is well.

        Parameters
        ----------
        found, expected
            Arrays of one shape; `found` says whether they hold integers. What is NaN or infinite in the one has to be
            the same in the other: else the excess is infinite.
        image
            What they were made of, for `input_range`.
        """
        if not found.size:
            return 0.0
        one, other = _as_float(found), _as_float(expected)
        # What is equal differs by 0: infinities too, and NaN from NaN.
        same = (one == other) | (_is_nan(one) & _is_nan(other))
        one[same] = other[same] = 0.0
        difference = abs(one - other)
        difference[_is_nan(difference)] = float("inf")
        if found.dtype.kind == "f":
            return float(difference.max()) - self.relative * max(1.0, _largest(expected))
        if self.input_range and image is not None and image.dtype.kind == "f":
            return self._apart(image, difference > self.levels)
        return float(difference.max()) - self.levels

    def _apart(self, image: npt.NDArray[Any], differ: npt.NDArray[Any]) -> float:
        """Return how far apart in an image the pixels are that differ, beyond what is allowed, in its range."""
        inside = _as_float(image[differ])
        if not inside.size:
            return 0.0
        whole = _as_float(image)
        finite = whole[abs(whole) < float("inf")]
        span = float(finite.max() - finite.min()) if finite.size else 0.0
        return float(inside.max() - inside.min()) / span - self.input_range if span else float("inf")


def _as_float(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array.astype("float64")


def _is_nan(array: npt.NDArray[Any]) -> Any:
    return array != array  # noqa: PLR0124 - NaN alone differs from itself, and numpy is not imported here


def _largest(array: npt.NDArray[Any]) -> float:
    """Return the largest finite magnitude."""
    magnitudes = abs(_as_float(array))
    finite = magnitudes[magnitudes < float("inf")]
    return float(finite.max()) if finite.size else 0.0
