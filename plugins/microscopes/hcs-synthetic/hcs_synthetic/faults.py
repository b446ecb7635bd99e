"""Faults: what may be wrong with the files of a plate, and with those of which planes."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import attrs

from hcs_synthetic.settings import well_names

Numbers = tuple[int, ...] | None


class FaultKind(StrEnum):
    """What is wrong with a plane's file."""

    MISSING = "missing"
    """It is not there."""
    TRUNCATED = "truncated"
    """Its second half is not there."""
    EMPTY = "empty"
    """It has no bytes."""
    TEXT = "text"
    """It is a text under an image's name."""
    WRONG_DTYPE = "wrong_dtype"
    """Its pixels are uint8 in a plate of uint16, clipped to 255, or the other way round."""
    WRONG_SHAPE = "wrong_shape"
    """Its image has one row and one column more than the others."""
    DUPLICATE = "duplicate"
    """A copy lies beside it, under another name that the layout reads as the same plane's."""


def _kind(kind: object) -> FaultKind:
    try:
        return FaultKind(str(kind))
    except ValueError as error:
        raise ValueError(f"kind={kind!r}: expected one of {', '.join(FaultKind)}.") from error


def _chosen(numbers: int | Iterable[int] | None) -> Numbers:
    if numbers is None:
        return None
    listed = numbers if isinstance(numbers, Iterable) else (numbers,)
    return tuple(operator.index(number) for number in listed)


@attrs.frozen(kw_only=True)
class Fault:
    """One kind of fault, in the files of the planes that are in all that is named.

    Attributes
    ----------
    kind
        What is wrong, a `FaultKind` or its text.
    wells, sites, channels, z_indexes, timepoints
        Which planes: one or several names and 1-based numbers; all there are, where left out.
    count
        How many of these planes, chosen by the plate's seed; all, where left out.

    Raises
    ------
    ValueError
        There is no such kind, a list is empty, or `count` is less than 1.
    hcs_core.PlateError
        A name is no well's.

    Examples
    --------
    >>> Fault(kind="missing", wells="b3", sites=(2, 3)).wells
    ('B03',)
    """

    kind: FaultKind = attrs.field(converter=_kind)
    wells: tuple[str, ...] | None = attrs.field(default=None, converter=attrs.converters.optional(well_names))
    sites: Numbers = attrs.field(default=None, converter=_chosen)
    channels: Numbers = attrs.field(default=None, converter=_chosen)
    z_indexes: Numbers = attrs.field(default=None, converter=_chosen)
    timepoints: Numbers = attrs.field(default=None, converter=_chosen)
    count: int | None = attrs.field(default=None, converter=attrs.converters.optional(operator.index))

    @wells.validator
    @sites.validator
    @channels.validator
    @z_indexes.validator
    @timepoints.validator
    def _check_chosen(self, attribute: attrs.Attribute[Any], chosen: tuple[Any, ...] | None) -> None:
        if chosen == ():
            raise ValueError(f"{attribute.name}=(): name at least one, or leave {attribute.name} out for all.")

    @count.validator
    def _check_count(self, _attribute: Any, count: int | None) -> None:
        if count is not None and count < 1:
            raise ValueError(f"count={count}: expected at least 1 plane, or nothing for all of them.")

    def __str__(self) -> str:
        """Return the fault as it is written: what was left out is left out."""
        said = attrs.asdict(self, filter=lambda _field, value: value is not None)
        return f"Fault({', '.join(f'{name}={value!r}' for name, value in (said | {'kind': str(self.kind)}).items())})"
