"""What an operation estimates from a plate's own images where a pipeline gives no value to one of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

PLANE, WELL, PLATE = "plane", "well", "plate"
"""The scopes: a plane alone (nothing is estimated, its kernel does that), all planes of a well, or of the plate."""

SCOPES = (PLANE, WELL, PLATE)

_DOTTED = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_TARGET = re.compile(f"{_DOTTED}:{_DOTTED}")


def _check_target(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    if not _TARGET.fullmatch(str(value)):
        raise ValueError(f"{attribute.name}={value!r}: expected 'package.module:function'")


@attrs.frozen(kw_only=True)
class Estimate:
    """How a parameter is estimated, for each channel alone, where a pipeline does not give it.

    Each sampled plane, as it is before the operation, gives a small array; one call makes the value of them. Both
    functions work on numpy arrays, whatever memory type the kernels work in, and are part of the operation: raise
    `version` whenever the same planes may give another value.

    Attributes
    ----------
    parameter
        The parameter that is filled, of kind `image` or `floats`, whose default is none.
    collect
        The target `function(plane, **others) -> numpy.ndarray`: a (y, x) plane, and all the operation's parameters
        that are not estimated. It changes nothing, and keeps nothing.
    merge
        The target `function(one, other) -> numpy.ndarray`, or empty. With it what planes gave is put together at
        once, in any order (it has to be associative and commutative, to the last bit), and `reduce` gets one array;
        so all planes of a plate can be counted. Without it `reduce` gets an array for each plane.
    reduce
        The target `function(collected, shape, **others) -> Estimated`: a tuple of arrays in the order of the plate,
        and (y, x) of a plane.
    scope
        `well` or `plate`, or the name of a `str` parameter of the operation that says `plane`, `well` or `plate`.
    planes
        How many planes of a channel are sampled at most, spread over the wells; `None`: all.
    fewest
        With fewer planes nothing can be estimated.
    collected_bytes
        The most that an array of `collect` or `merge` holds.
    version
        Of the method.
    """

    parameter: str = attrs.field(validator=attrs.validators.instance_of(str))
    collect: str = attrs.field(validator=_check_target)
    reduce: str = attrs.field(validator=_check_target)
    merge: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    scope: str = PLATE
    planes: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    fewest: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    collected_bytes: int = attrs.field(default=1 << 20, validator=attrs.validators.ge(1))
    version: str = "1"

    def __attrs_post_init__(self) -> None:
        """Refuse what could never be estimated."""
        if self.merge and not _TARGET.fullmatch(self.merge):
            raise ValueError(f"merge={self.merge!r}: expected 'package.module:function'")
        if self.scope == PLANE:
            raise ValueError("scope='plane' estimates nothing: say well, plate, or the parameter that says so")
        if self.planes is not None and self.planes < self.fewest:
            raise ValueError(f"planes={self.planes} is below fewest={self.fewest}: it could never be estimated")

    @property
    def targets(self) -> tuple[str, ...]:
        """The functions that it names."""
        return tuple(target for target in (self.collect, self.merge, self.reduce) if target)

    def scope_with(self, parameters: Mapping[str, Any]) -> str:
        """Return the scope under an operation's parameters."""
        return self.scope if self.scope in SCOPES else str(parameters[self.scope])


@attrs.frozen(kw_only=True, eq=False)
class Estimated:
    """What `Estimate.reduce` returns: the value, and what should be noted of it in the table of estimates.

    `value` is a (y, x) array for a parameter of kind `image`, a sequence of numbers for `floats`; `notes` are columns
    of one row: numbers, truth values and short texts.
    """

    value: Any
    notes: Mapping[str, Any] = attrs.field(factory=dict)
