"""Which part of a plate is worked on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Integral

import attrs

from hcs_core.errors import ConfigError

_LARGEST = 1_000_000


def numbers(text: str | Sequence[int]) -> tuple[int, ...]:
    """Return `1,3-5` (or a list of whole numbers) as numbers.

    Raises
    ------
    ConfigError
        It cannot be read.

    Examples
    --------
    >>> numbers("1,3-5")
    (1, 3, 4, 5)
    """
    parts: object = text.split(",") if isinstance(text, str) else text
    if not isinstance(parts, list | tuple):
        raise ConfigError(f"{text!r}: expected numbers such as 1,3-5.")
    found: list[int] = []
    for part in parts:
        match = re.fullmatch(r"\s*([0-9]{1,7})(?:\s*-\s*([0-9]{1,7}))?\s*", str(part))
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if not first <= last <= _LARGEST:
            raise ConfigError(f"{text!r}: expected numbers such as 1,3-5, the smaller first.")
        found.extend(range(first, last + 1))
    return tuple(dict.fromkeys(found))


def _wrong(field: str, value: object, allowed: str) -> ConfigError:
    return ConfigError(f"{field}={value!r}: expected {allowed}.")


def _names(field: str, value: object) -> tuple[str | int, ...]:
    """Return one name, or several, as plain texts and numbers, which a pipeline file can hold."""
    items = [value] if isinstance(value, str | int) else value
    if not isinstance(items, Sequence) or not items or not all(map(_is_name, items)):
        raise _wrong(field, value, "names or numbers, at least one (leave it out for all)")
    return tuple(str(item) if isinstance(item, str) else int(item) for item in items)


def _is_name(item: object) -> bool:
    return not isinstance(item, bool) and isinstance(item, str | Integral) and item != ""


def _whole(field: str, lowest: int, value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or not value or not all(_is_number(item, lowest) for item in value):
        raise _wrong(field, value, f"whole numbers from {lowest} on, at least one (leave it out for all)")
    return tuple(dict.fromkeys(int(item) for item in value))


def _is_number(item: object, lowest: int) -> bool:
    return not isinstance(item, bool) and isinstance(item, Integral) and int(item) >= lowest


def well_filter_of(value: str | int | Sequence[str | int] | None) -> str | int | tuple[str | int, ...] | None:
    """Return a filter of wells in plain texts and numbers; what it selects is a plate's business.

    Raises
    ------
    ConfigError
        It is none, or is empty.
    """
    if value is None:
        return None
    wells = _names("wells", value)
    return wells[0] if isinstance(value, str | int) else wells


def _channels(value: str | int | Sequence[str | int] | None) -> tuple[str | int, ...] | None:
    return None if value is None else _names("channels", value)


def _sites(value: Sequence[int] | None) -> tuple[int, ...] | None:
    return _whole("sites", 1, value)


def _z(value: Sequence[int] | None) -> tuple[int, ...] | None:
    return _whole("z", 0, value)


def _timepoints(value: Sequence[int] | None) -> tuple[int, ...] | None:
    return _whole("timepoints", 1, value)


@attrs.frozen(kw_only=True)
class Selection:
    """Which part of a plate is worked on; `None` is all.

    `wells` is a filter (see `hcs_core.select_wells`), `channels` are names or numbers, `sites`, `z` and
    `timepoints` 1-based numbers; `z=(0,)` asks for the microscope's own projections.

    Raises
    ------
    ConfigError
        A field is none of these, or is empty.
    """

    wells: str | int | tuple[str | int, ...] | None = attrs.field(default=None, converter=well_filter_of)
    channels: tuple[str | int, ...] | None = attrs.field(default=None, converter=_channels)
    sites: tuple[int, ...] | None = attrs.field(default=None, converter=_sites)
    z: tuple[int, ...] | None = attrs.field(default=None, converter=_z)
    timepoints: tuple[int, ...] | None = attrs.field(default=None, converter=_timepoints)

    def override(self, other: Selection) -> Selection:
        """Return the selection with what another one says in place of its own."""
        said = {name: value for name, value in attrs.asdict(other).items() if value is not None}
        return attrs.evolve(self, **said)
