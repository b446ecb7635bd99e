"""What a kernel takes and what it gives: the signature that every kernel of one operation shares."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from hcs_core.plugins.artifact import Made, Taken
from hcs_core.plugins.estimate import SCOPES, Estimate
from hcs_core.plugins.frame import Frame
from hcs_core.plugins.parameter import RESERVED, Parameter
from hcs_core.plugins.tolerance import Tolerance

AXES = "stczyx"
"""The letters of a signature: site, timepoint, channel, z, y, x."""


PRESENT = "present"
"""The keyword by which a kernel that masks is told which planes of its stack are there."""

CONTEXT = "context"
"""The keyword by which a function that asks for it gets the `ProcessingContext` of its well."""

DTYPE = "dtype"
"""The keyword by which a kernel that asks for it is told its image's dtype, which may be held in a wider one."""

DTYPES = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
)  # fmt: skip
"""The dtypes that an image can have, by their numpy names; numpy itself is not needed to declare one."""

REFUSE, TAKES = "refuse", "takes"
"""What a kernel does with pixels that are NaN or infinite."""


class MissingPolicy(StrEnum):
    """What a kernel that stacks channels or sites does where one of them is absent."""

    REFUSE = "refuse"
    MASK = "mask"


def _check_axes(_instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    wrong = [letter for letter in value if letter not in AXES]
    if wrong or len(set(value)) != len(value) or not value.endswith("yx"):
        message = (
            f"{attribute.name}={value!r}: expected letters of {AXES!r}, each once, ending in 'yx', such as 'zyx'"
        )
        raise ValueError(message)


def _check_out(instance: Any, attribute: attrs.Attribute[str], value: Any) -> None:
    if value != "":
        _check_axes(instance, attribute, value)


def check_parameters(_instance: Any, attribute: attrs.Attribute[tuple[Parameter, ...]], value: Any) -> None:
    """Refuse what is no tuple of parameters of different names: a validator of attrs."""
    if not isinstance(value, tuple) or not all(isinstance(item, Parameter) for item in value):
        raise ValueError(f"{attribute.name}={value!r}: expected a tuple of Parameter")
    names = [item.name for item in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{attribute.name} has {', '.join(twice)} more than once")


def _check_tuple_of(cls: type[Any], field: str) -> Any:
    def check(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, tuple) or not all(isinstance(item, cls) for item in value):
            raise ValueError(f"{attribute.name}={value!r}: expected a tuple of {cls.__name__}")
        names = [getattr(item, field) for item in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{attribute.name} has {', '.join(twice)} more than once")

    return check


def _check_dtypes(_instance: Any, attribute: attrs.Attribute[tuple[str, ...]], value: Any) -> None:
    # A bare text would be a sequence of letters.
    if not isinstance(value, tuple) or not value or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"{attribute.name}={value!r}: expected a tuple of dtypes, such as ('uint8', 'uint16')")
    for item in value:
        _check_dtype(item)


def _check_out_dtype(_instance: Any, _attribute: attrs.Attribute[str], value: str) -> None:
    if value:
        _check_dtype(value)


def _check_nonfinite(_instance: Any, _attribute: attrs.Attribute[str], value: Any) -> None:
    if value not in {REFUSE, TAKES}:
        raise ValueError(f"nonfinite={value!r}: expected {REFUSE} or {TAKES}")


def _check_dtype(name: str) -> None:
    if name not in DTYPES:
        raise ValueError(f"{name!r} is no dtype: expected one such as 'uint8', 'uint16' or 'float32'")


@attrs.frozen(kw_only=True)
class Signature:
    """What a kernel takes and gives.

    Attributes
    ----------
    axes
        The axes of the image that the kernel gets, in this order: letters of `stczyx` ending in `yx`. The
        runtime maps the kernel over all others.
    out
        The axes of the image that it returns: those of `axes`, less the ones that it reduces. Empty: it makes only
        artifacts, and its image passes on.
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
    makes
        The artifacts that it returns, in this order, after its image; where `out` is empty, instead of one.
    takes
        The artifacts of earlier steps that it is given by keyword.
    context
        Whether it takes the keyword `context`: the `ProcessingContext` of its well.
    estimates
        Which of its parameters are estimated from the plate's own images where a pipeline does not give them.
    nonfinite
        What becomes of an image of floats in which pixels are NaN or infinite: `refuse` makes that a fault of its
        well, before the kernel is called; `takes` is for a kernel that says what they mean.
    tolerance
        How far apart kernels of the operation may be: those of all array libraries from numpy's.
    """

    axes: str = attrs.field(validator=_check_axes)
    out: str = attrs.field(validator=_check_out)
    parameters: tuple[Parameter, ...] = attrs.field(default=(), validator=check_parameters)
    dtypes: tuple[str, ...] = attrs.field(default=("uint8", "uint16", "float32"), validator=_check_dtypes)
    out_dtype: str = attrs.field(default="", validator=_check_out_dtype)
    out_channel: str = ""
    missing: MissingPolicy = attrs.field(
        default=MissingPolicy.REFUSE, validator=attrs.validators.instance_of(MissingPolicy)
    )
    frame: Frame | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(Frame))
    )
    makes: tuple[Made, ...] = attrs.field(default=(), validator=_check_tuple_of(Made, "name"))
    takes: tuple[Taken, ...] = attrs.field(default=(), validator=_check_tuple_of(Taken, "keyword"))
    context: bool = attrs.field(default=False, validator=attrs.validators.instance_of(bool))
    estimates: tuple[Estimate, ...] = attrs.field(default=(), validator=_check_tuple_of(Estimate, "parameter"))
    nonfinite: str = attrs.field(default=REFUSE, validator=_check_nonfinite)
    tolerance: Tolerance = attrs.field(factory=Tolerance, validator=attrs.validators.instance_of(Tolerance))

    def __attrs_post_init__(self) -> None:
        """Refuse what no runtime could do."""
        for estimate in self.estimates:
            self._check_estimate(estimate)
        names = [item.name for item in self.parameters]
        self._check_told(names)
        if not self.out and not self.makes:
            raise ValueError("out is empty and makes is too: a function returns an image, artifacts, or both")
        if not self.out and (self.out_dtype or self.out_channel or self.frame is not None):
            raise ValueError("out is empty: without an image there is no out_dtype, out_channel or frame")
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

    def _check_estimate(self, estimate: Estimate) -> None:
        """Refuse an estimate of what is no parameter, or of one that could not take it."""
        item = self.parameter(estimate.parameter)
        if item is None or item.kind not in {"image", "floats"} or item.required or item.default is not None:
            raise ValueError(
                f"{estimate.parameter!r} cannot be estimated: expected a parameter of kind 'image' or 'floats' that "
                "has no default and is not required"
            )
        if estimate.scope not in SCOPES:
            says = self.parameter(estimate.scope)
            if says is None or not says.choices or not set(says.choices) <= set(SCOPES):
                raise ValueError(
                    f"scope={estimate.scope!r}: expected well, plate, or a parameter whose choices are among "
                    f"{', '.join(SCOPES)}"
                )
        if "c" in self.axes:
            raise ValueError("what stacks channels estimates nothing: an estimate is made for each channel alone")

    def _check_told(self, parameters: list[str]) -> None:
        """Refuse a keyword that would mean two things, and a name that means none."""
        if self.tolerance.grows_with and self.tolerance.grows_with not in parameters:
            raise ValueError(f"tolerance grows with {self.tolerance.grows_with!r}, which is no parameter")
        told = [item.keyword for item in self.takes]
        taken = {*parameters, *RESERVED, PRESENT, CONTEXT}.intersection(told)
        if taken:
            raise ValueError(
                f"takes has {', '.join(sorted(taken))}, which has another meaning: choose another keyword"
            )
        if self.context and CONTEXT in parameters:
            raise ValueError(f"{CONTEXT!r} tells a function of its well: give the parameter another name")

    @property
    def passes_on(self) -> bool:
        """Whether it makes only artifacts, and its image passes on."""
        return not self.out

    @property
    def plane_wise(self) -> bool:
        """Whether the kernel works plane by plane."""
        return self.axes == "yx"

    @property
    def reduced(self) -> frozenset[str]:
        """The axes that are gone in what the kernel returns."""
        return frozenset(self.axes) - frozenset(self.out) if self.out else frozenset()

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of that name, or `None`."""
        return next((item for item in self.parameters if item.name == name), None)
