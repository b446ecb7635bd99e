"""What a kernel takes and what it gives: the signature that every kernel of one operation shares."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

AXES = "stczyx"
"""The letters of a signature: site, timepoint, channel, z, y, x."""


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


PRESENT = "present"
"""The keyword by which a kernel that masks is told which planes of its stack are there."""

RESERVED = frozenset(
    {"name", "group_by", "variable_components", "input", "save", "wells", "memory", "device", "enabled"}
)
"""A step's own options: no parameter may be called so, as `Step("blur", name=...)` could not say which it means."""


DTYPES = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
)  # fmt: skip
"""The dtypes that an image can have, by their numpy names; numpy itself is not needed to declare one."""


class MissingPolicy(StrEnum):
    """What a kernel that stacks channels or sites does where one of them is absent."""

    REFUSE = "refuse"
    MASK = "mask"


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


def _check_axes(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    wrong = [letter for letter in value if letter not in AXES]
    if wrong or len(set(value)) != len(value) or not value.endswith("yx"):
        message = (
            f"{attribute.name}={value!r}: expected letters of {AXES!r}, each once, ending in 'yx', such as 'zyx'"
        )
        raise ValueError(message)


def _check_parameters(_instance: Any, attribute: attrs.Attribute[tuple[Parameter, ...]], value: Any) -> None:
    if not isinstance(value, tuple) or not all(isinstance(item, Parameter) for item in value):
        raise ValueError(f"{attribute.name}={value!r}: expected a tuple of Parameter")
    names = [item.name for item in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{attribute.name} has {', '.join(twice)} more than once")


def _check_dtypes(_instance: Any, attribute: attrs.Attribute[tuple[str, ...]], value: Any) -> None:
    # A bare text would be a sequence of letters.
    if not isinstance(value, tuple) or not value or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"{attribute.name}={value!r}: expected a tuple of dtypes, such as ('uint8', 'uint16')")
    for item in value:
        _check_dtype(item)


def _check_out_dtype(_instance: Any, _attribute: attrs.Attribute[str], value: str) -> None:
    if value:
        _check_dtype(value)


def _check_dtype(name: str) -> None:
    if name not in DTYPES:
        raise ValueError(f"{name!r} is no dtype: expected one such as 'uint8', 'uint16' or 'float32'")


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


@attrs.frozen(kw_only=True)
class Signature:
    """What a kernel takes and gives.

    Attributes
    ----------
    axes
        The axes of the image that the kernel gets, in this order: letters of `stczyx` ending in `yx`. The
        runtime maps the kernel over all others.
    out
        The axes of what it returns: those of `axes`, less the ones that it reduces.
    parameters
        Its keyword parameters.
    dtypes
        The dtypes that it takes.
    out_dtype
        The dtype that it returns; empty: the one that it got.
    out_channel
        The name of the one channel that is left, for a kernel that reduces `c`.
    missing
        What it does where a channel or a site of its stack is absent: `refuse` makes that a fault; with `mask` the
        kernel takes the keyword `present`, a bool array with one value for each plane of its stack, and must leave
        out those that are absent (their pixels are 0 and mean nothing).
    frame
        How it changes the plane's frame: its shape, pixel size and origin; `None`: not at all.
    """

    axes: str = attrs.field(validator=_check_axes)
    out: str = attrs.field(validator=_check_axes)
    parameters: tuple[Parameter, ...] = attrs.field(default=(), validator=_check_parameters)
    dtypes: tuple[str, ...] = attrs.field(default=("uint8", "uint16", "float32"), validator=_check_dtypes)
    out_dtype: str = attrs.field(default="", validator=_check_out_dtype)
    out_channel: str = ""
    missing: MissingPolicy = attrs.field(
        default=MissingPolicy.REFUSE, validator=attrs.validators.instance_of(MissingPolicy)
    )
    frame: Frame | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(Frame))
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what no runtime could do."""
        names = [item.name for item in self.parameters]
        if self.missing == MissingPolicy.MASK and PRESENT in names:
            raise ValueError(f"{PRESENT!r} tells a kernel which planes are there: give the parameter another name")
        told = () if self.frame is None else (*filter(None, [self.frame.bin]), *self.frame.crop)
        unknown = [name for name in told if name not in names]
        if unknown:
            raise ValueError(f"frame names {', '.join(unknown)}, which is no parameter")
        if any(letter not in self.axes for letter in self.out):
            message = f"out={self.out!r} has an axis that axes={self.axes!r} has not; a kernel can only reduce axes"
            raise ValueError(message)
        if list(self.out) != [letter for letter in self.axes if letter in self.out]:
            raise ValueError(f"out={self.out!r} must keep the order of axes={self.axes!r}")
        if ("c" in self.reduced) != bool(self.out_channel):
            message = "out_channel names the channel that is left where 'c' is reduced, and is empty elsewhere"
            raise ValueError(message)
        if "s" in self.reduced:
            raise ValueError("a kernel cannot reduce 's': every site keeps an image of its own")

    @property
    def plane_wise(self) -> bool:
        """Whether the kernel works plane by plane."""
        return self.axes == "yx"

    @property
    def reduced(self) -> frozenset[str]:
        """The axes that are gone in what the kernel returns."""
        return frozenset(self.axes) - frozenset(self.out)

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of that name, or `None`."""
        return next((item for item in self.parameters if item.name == name), None)
