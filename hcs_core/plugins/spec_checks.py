"""Validators of attrs for what plugins declare: each says what was found and what was expected."""

from __future__ import annotations

import re
from typing import Any

import attrs

_DOTTED = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_TARGET = re.compile(f"{_DOTTED}:{_DOTTED}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_target(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    """Refuse what is no `package.module:attribute`."""
    if not _TARGET.fullmatch(str(value)):
        message = f"{attribute.name}={value!r}: expected 'package.module:attribute'"
        raise ValueError(message)


def check_optional_target(instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    """Refuse what is neither empty nor a target."""
    if value:
        check_target(instance, attribute, value)


def check_name(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    """Refuse what is no name as users write it."""
    if not _NAME.fullmatch(str(value)):
        message = f"{attribute.name}={value!r}: expected lower-case letters, digits and _, such as 'max_projection'"
        raise ValueError(message)


def check_optional_name(instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    """Refuse what is neither empty nor a name."""
    if value != "":
        check_name(instance, attribute, value)


def check_texts(_instance: Any, attribute: attrs.Attribute[tuple[str, ...]], value: Any) -> None:
    """Refuse what is no tuple of texts."""
    # A bare text is a sequence of texts too: markers="*.HTD" would be five markers.
    if not isinstance(value, tuple) or not all(isinstance(item, str) and item for item in value):
        message = f"{attribute.name}={value!r}: expected a tuple of texts, such as ('one',)"
        raise ValueError(message)


def check_text(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    """Refuse what is no text, or an empty one."""
    if not isinstance(value, str) or not value:
        message = f"{attribute.name}={value!r}: expected a text that is not empty"
        raise ValueError(message)


def check_suffix(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    """Refuse what is no ending of a file's name."""
    if not isinstance(value, str) or not value.startswith(".") or value == ".":
        message = f"{attribute.name}={value!r}: expected a dot and letters, such as '.csv'"
        raise ValueError(message)


def check_optional_suffix(instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    """Refuse what is neither empty nor a suffix."""
    if value != "":
        check_suffix(instance, attribute, value)


def check_environment(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is no tuple of pairs of texts."""
    pairs = value if isinstance(value, tuple) else (None,)
    if not all(isinstance(pair, tuple) and len(pair) == 2 and all(map(_is_text, pair)) for pair in pairs):  # noqa: PLR2004
        message = f"{attribute.name}={value!r}: expected a tuple of pairs of texts, such as (('NAME', 'value'),)"
        raise ValueError(message)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def check_bytes(_instance: Any, attribute: attrs.Attribute[int], value: Any) -> None:
    """Refuse what is no number of bytes."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        message = f"{attribute.name}={value!r}: expected a number of bytes, at least 0"
        raise ValueError(message)
