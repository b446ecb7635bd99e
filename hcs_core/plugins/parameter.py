"""What an operation is told beside its image: parameters that judge the values that a pipeline gives them."""

from __future__ import annotations

from typing import Any

import attrs

RESERVED = ("name", "group_by", "variable_components", "input", "save", "wells", "memory", "device", "enabled")
"""A step's own options: no parameter may be called so, as `Step("blur", name=...)` could not say which it means."""


@attrs.frozen
class GivenImage:
    """An image that a pipeline gives to a parameter, such as an illumination profile.

    `digest` stands for the content: two with one digest are one image. `pixels` is a (y, x) numpy array;
    `source` the path as the pipeline writes it, empty where the image came from Python.
    """

    digest: str
    pixels: Any = attrs.field(eq=False, repr=False)
    source: str = attrs.field(default="", eq=False, repr=False)


ParameterValue = bool | int | float | str | tuple[float, ...] | GivenImage | None
"""What a parameter may be; a list in a pipeline file becomes a tuple of floats."""


def _check_parameter_name(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    if not isinstance(value, str) or not value.isidentifier():
        raise ValueError(f"{attribute.name}={value!r}: expected the name of a keyword, such as 'sigma'")
    if value in RESERVED:
        raise ValueError(f"{attribute.name}={value!r} is an option of every step: give the parameter another name")


@attrs.frozen(kw_only=True)
class Parameter:
    """One parameter of an operation.

    Attributes
    ----------
    name
        As the kernel's keyword.
    kind
        `int`, `float`, `bool`, `str`, `floats` (a tuple of floats) or `image`: in a pipeline the path of an image
        file or a (y, x) array; the kernel gets the array.
    default
        What it is when a pipeline does not say; `None` with `required` means that a pipeline must.
    minimum, maximum
        The inclusive limits of a number (of every number, for `floats`); `None` where there is none.
    above
        An exclusive lower limit of a number, or `None`.
    choices
        The allowed strings of a `str`; empty where any will do.
    like_plane
        Whether an `image` must have the rows and columns of the planes that the kernel gets.
    unit
        `px`, `um`, `percent` and so on; empty for a bare number.
    description
        One line for `hcs functions`.
    """

    name: str = attrs.field(validator=_check_parameter_name)
    kind: str = attrs.field(validator=attrs.validators.in_(("int", "float", "bool", "str", "floats", "image")))
    default: ParameterValue = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    like_plane: bool = False
    unit: str = ""
    description: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse what no value could satisfy, and a default that the parameter itself would refuse."""
        if self.required and self.default is not None:
            raise ValueError(
                f"{self.name!r} is required and has the default {self.default!r}: it is one or the other"
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"{self.name!r} has minimum={self.minimum:g} over maximum={self.maximum:g}")
        if self.choices and self.kind != "str":
            raise ValueError(f"{self.name!r} has choices and kind={self.kind!r}: only a 'str' is chosen from a list")
        if self.like_plane and self.kind != "image":
            raise ValueError(f"{self.name!r} is like a plane and has kind={self.kind!r}: only an 'image' can be")
        found = None if self.required else self.problem(self.default)
        if found is not None:
            raise ValueError(f"the default of {self.name!r} is not allowed: {found}")

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value, as `expected ..., found ...`, or `None` where nothing is."""
        if value is None and self.default is None and not self.required:
            return None
        fits = {
            "bool": isinstance(value, bool),
            "int": isinstance(value, int) and not isinstance(value, bool),
            "float": isinstance(value, int | float) and not isinstance(value, bool),
            "str": isinstance(value, str),
            "image": isinstance(value, GivenImage) or (isinstance(value, str) and value != ""),
            "floats": isinstance(value, tuple)
            and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value),
        }[self.kind]
        if not fits:
            return f"expected {self.expected()}, found {value!r}"
        numbers = value if self.kind == "floats" else (value,) if self.kind in {"int", "float"} else ()
        for number in numbers:
            low = self.minimum is not None and number < self.minimum
            high = self.maximum is not None and number > self.maximum
            not_above = self.above is not None and number <= self.above
            # A NaN is outside every limit; only a comparison with itself shows it.
            if low or high or not_above or number != number:  # noqa: PLR0124
                return f"expected {self.expected()}, found {value!r}"
        if self.choices and value not in self.choices:
            return f"expected {self.expected()}, found {value!r}"
        return None

    def expected(self) -> str:
        """Return what a value has to be, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        words = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text"}
        words["image"] = "the path of an image file, or an array of rows and columns"
        text = words.get(self.kind, "a list of numbers")
        limits = [
            f"{word} {limit:g}"
            for word, limit in (("at least", self.minimum), ("above", self.above), ("at most", self.maximum))
            if limit is not None
        ]
        return " ".join([text, " and ".join(limits)]) if limits else text
