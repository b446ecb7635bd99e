"""Which writers turn artifacts into files."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from hcs_core.errors import ConfigError


def _plain(value: str) -> str:
    return str(value) if isinstance(value, StrEnum) else value


def _name(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{attribute.name}={value!r}: expected the name of a writer, such as 'csv'.")


@attrs.frozen(kw_only=True)
class WritersConfig:
    """Which writer each kind of artifact that functions make is written with; none changes by what is installed.

    Attributes
    ----------
    table
        `csv`, or `parquet` (of hcs-parquet).
    json
        `json`.
    image
        `npy`, numpy's own format.
    """

    table: str = attrs.field(default="csv", converter=_plain, validator=_name)
    json: str = attrs.field(default="json", converter=_plain, validator=_name)
    image: str = attrs.field(default="npy", converter=_plain, validator=_name)
