"""Artifacts: what a function makes or takes beside images, by name."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import attrs

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

OF_THE_RUN = frozenset({"wells", "planes"})
"""The tables that every run writes: no artifact may be called so."""


class ArtifactKind(StrEnum):
    """What an artifact is: columns of equal length, what JSON can hold, or an array of pixels."""

    TABLE = "table"
    JSON = "json"
    IMAGE = "image"


def _check_name(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    # It becomes the name of a file.
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"{attribute.name}={value!r}: expected letters, digits and _, such as 'spots'")
    if value in OF_THE_RUN:
        raise ValueError(f"{attribute.name}={value!r} is a table that every run writes: choose another name")


def _check_keyword(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    if not isinstance(value, str) or not value.isidentifier():
        raise ValueError(f"{attribute.name}={value!r}: expected the name of a keyword, such as 'spots'")


def _kind(value: object) -> ArtifactKind:
    try:
        return ArtifactKind(str(value))
    except ValueError as error:
        raise ValueError(f"kind={value!r}: expected one of {', '.join(ArtifactKind)}") from error


@attrs.frozen(kw_only=True)
class Made:
    """An artifact that a function returns after its image.

    Attributes
    ----------
    name
        By which later steps take it, and under which it is written.
    kind
        `table` (any mapping of names to columns, or a DataFrame), `json` or `image` (an array of the memory type).
    """

    name: str = attrs.field(validator=_check_name)
    kind: ArtifactKind = attrs.field(converter=_kind)


@attrs.frozen(kw_only=True)
class Taken:
    """An artifact that a function is given by keyword.

    Attributes
    ----------
    keyword
        As the function takes it; a pipeline may give it the name of another artifact.
    kind
        What it gets: a `Table`, plain data, or an array of its memory type. It must not change any of them.
    name
        The artifact that it takes where the pipeline says nothing; empty: called as the keyword.
    """

    keyword: str = attrs.field(validator=_check_keyword)
    kind: ArtifactKind = attrs.field(converter=_kind)
    name: str = ""

    @property
    def default(self) -> str:
        """The artifact that it takes where the pipeline says nothing."""
        return self.name or self.keyword
