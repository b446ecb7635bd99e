"""Steps: what to run, as a function pattern, and how."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import PipelineError, did_you_mean
from hcs_core.pipeline.names import AXIS_OF, COMPONENTS
from hcs_core.plugins.parameter import GivenImage, ParameterValue

RESERVED = ("name", "group_by", "variable_components", "input", "save", "wells", "memory", "device", "enabled")
"""Step's own options: no operation may have a parameter of such a name."""

OPTIONS = ("name", "group_by", "variable_components", "save", "memory", "enabled")
"""Those of them that a step can have now."""

_NO_NAME = frozenset(":/\\\0")

Operation = str | Callable[..., Any]
"""The name of an operation, or a function that was declared with `step_function`."""


@attrs.frozen
class FunctionCall:
    """An operation and the parameters that the pipeline gives it."""

    operation: Operation
    parameters: tuple[tuple[str, ParameterValue], ...] = ()

    @property
    def label(self) -> str:
        """The operation's name."""
        return self.operation if isinstance(self.operation, str) else function_name(self.operation)


@attrs.frozen
class Branch:
    """A chain of calls for one component value; `key` is `None` where the chain is for all."""

    key: str | None
    calls: tuple[FunctionCall, ...]


def function_name(function: Callable[..., Any]) -> str:
    """Return a function's own name."""
    if isinstance(function, partial):
        return function_name(function.func)
    return str(getattr(function, "__name__", type(function).__name__))


def given_image(pixels: npt.NDArray[Any], source: str = "") -> GivenImage:
    """Return a (y, x) array as a parameter's value; its digest covers shape, dtype and content.

    Raises
    ------
    PipelineError
        It is not one plane of numbers.
    """
    if pixels.ndim != 2 or not pixels.size or pixels.dtype.kind not in "biuf":  # noqa: PLR2004 - rows and columns
        raise PipelineError(
            f"{source or 'an array'} is {pixels.dtype} of shape {pixels.shape}: expected rows and columns of numbers."
        )
    # A copy of its own: the user's array may change, and what was given must not.
    pixels = np.array(pixels, pixels.dtype.newbyteorder("="), order="C")
    pixels.flags.writeable = False
    content = f"{pixels.shape}{pixels.dtype}".encode() + pixels.tobytes()
    return GivenImage(digest=hashlib.sha256(content).hexdigest(), pixels=pixels, source=source)


def _value(name: str, value: Any) -> ParameterValue:
    """Return a parameter's value in Python's own types: numpy's numbers and string enums are not YAML's."""
    if isinstance(value, GivenImage):
        return value
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return given_image(value)
    if isinstance(value, list | tuple):
        items = [_number(item) for item in value]
        if None not in items:
            return tuple(item for item in items if item is not None)
    elif value is None or isinstance(value, bool):
        return value
    elif isinstance(value, str):
        return str(value)
    elif (number := _number(value)) is not None:
        return number
    raise PipelineError(
        f"the parameter {name!r} is {value!r}: expected a number, a text, true or false, a list of numbers, or an "
        "image as rows and columns."
    )


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) and not math.isnan(value) else None


def call_of(pattern: Any, parameters: Mapping[str, Any] | None = None) -> FunctionCall:
    """Return the call that a function, a name, or a pair of one and its parameters means.

    Raises
    ------
    PipelineError
        It is none of them, or a parameter has the name of one of a step's own words.
    """
    given = dict(parameters or {})
    if isinstance(pattern, tuple) and len(pattern) == 2 and isinstance(pattern[1], Mapping):  # noqa: PLR2004 - a pair
        pattern, given = pattern[0], {**pattern[1], **given}
    if not isinstance(pattern, str) and not callable(pattern):
        raise PipelineError(
            f"a step runs {pattern!r}: expected an operation's name, a function, or (function, kwargs)."
        )
    # Its name becomes the step's, and that of a folder.
    if isinstance(pattern, str) and (pattern in {"", ".", ".."} or _NO_NAME.intersection(pattern)):
        raise PipelineError(
            f"{pattern!r} is no operation's name: write one such as 'max_projection', or pass the function itself."
        )
    for name in given:
        _check_parameter(name)
    return FunctionCall(pattern, tuple((name, _value(name, given[name])) for name in sorted(given)))


def _check_parameter(name: Any) -> None:
    if not isinstance(name, str) or not name:
        raise PipelineError(f"a parameter is called {name!r}: expected its name as a text, such as 'sigma'.")
    if name in OPTIONS:
        raise PipelineError(f"{name!r} is one of Step's own words and no parameter: write Step(..., {name}=...).")
    if name in RESERVED:
        raise PipelineError(
            f"{name!r} is one of Step's own words, which this version has no use for yet: leave it out."
        )


def _chain(pattern: Any, parameters: Mapping[str, Any] | None = None) -> tuple[FunctionCall, ...]:
    if isinstance(pattern, Sequence) and not isinstance(pattern, str | tuple):
        if parameters:
            raise PipelineError("parameters belong to a function: write (function, {...}) inside the list.")
        if not pattern:
            raise PipelineError("a step runs an empty list: write at least one operation, or leave the step out.")
        return tuple(call_of(item) for item in pattern)
    return (call_of(pattern, parameters),)


@attrs.frozen(init=False)
class Step:
    """One line of a pipeline: a function pattern and how it applies.

    Parameters
    ----------
    function
        An operation's name, a declared function, `(function, kwargs)`, a list of them (a chain), or a dict by
        component value of any of these; channels that a dict does not name pass unchanged.
    name
        What the step is called in plans, errors and stores; by default its operation.
    group_by
        The component that a dict's keys name: `channel` (by default), `well`, `site`, `z_index` or `timepoint`. What
        it does not name passes unchanged.
    variable_components
        What is stacked in place of what the function stacks by itself, of `site`, `channel`, `z_index`, `timepoint`:
        `Step("max_projection", variable_components=["timepoint"])` projects along time.
    save
        Keep the output as a plate of its own, `<name>.zarr`.
    memory
        The memory type in which it must work.
    enabled
        A step that is not enabled is left out.
    parameters
        The operation's parameters.

    Raises
    ------
    PipelineError
        The pattern is none of those above, or an option is not what it can be.

    Examples
    --------
    >>> from hcs_core import Step
    >>> Step("gaussian_blur", sigma=2.0).name
    'gaussian_blur'
    """

    name: str
    branches: tuple[Branch, ...]
    group_by: str | None
    variable_components: tuple[str, ...]
    save: bool
    memory: str | None
    enabled: bool

    @property
    def calls(self) -> tuple[FunctionCall, ...]:
        """The calls of all its branches."""
        return tuple(call for branch in self.branches for call in branch.calls)

    def __init__(
        self,
        function: Any,
        /,
        *,
        name: str | None = None,
        group_by: str | None = None,
        variable_components: Sequence[str] = (),
        save: bool = False,
        memory: str | None = None,
        enabled: bool = True,
        **parameters: Any,
    ) -> None:
        _check_options(name, save, memory, enabled)
        branches = _branches(function, parameters)
        by_component = isinstance(function, Mapping)
        if group_by is not None and group_by not in COMPONENTS:
            raise PipelineError(
                f"group_by={group_by!r} is no component.{did_you_mean(str(group_by), COMPONENTS)} The keys of a "
                f"step's dict can name {', '.join(COMPONENTS)}."
            )
        self.__attrs_init__(
            name=name or "_".join(dict.fromkeys(call.label for branch in branches for call in branch.calls)),
            branches=branches,
            group_by=(str(group_by) if group_by is not None else "channel") if by_component else None,
            variable_components=_components(variable_components),
            save=save,
            memory=None if memory is None else str(memory),
            enabled=enabled,
        )


def _components(names: Any) -> tuple[str, ...]:
    """Return the components to stack, in their order."""
    listed = (names,) if isinstance(names, str) else names
    if not isinstance(listed, Sequence) or not all(isinstance(name, str) for name in listed):
        raise PipelineError(f"variable_components={names!r}: expected a list of {', '.join(AXIS_OF)}.")
    for name in listed:
        if name not in AXIS_OF:
            raise PipelineError(
                f"variable_components={names!r}: {name!r} cannot be stacked.{did_you_mean(name, AXIS_OF)} There are "
                f"{', '.join(AXIS_OF)}."
            )
        if list(listed).count(name) > 1:
            raise PipelineError(f"variable_components={names!r} names {name} twice: name each once.")
    return tuple(str(name) for name in listed)


def _check_options(name: Any, save: Any, memory: Any, enabled: Any) -> None:
    # A kept output lies in a folder of the step's name.
    if name is not None and (
        not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+", name) or name in {".", ".."}
    ):
        raise PipelineError(f"name={name!r}: expected a text without a slash, as it becomes a folder's name.")
    if memory is not None and (not isinstance(memory, str) or not memory):
        raise PipelineError(f"memory={memory!r}: expected a memory type such as 'numpy'.")
    for word, flag in (("save", save), ("enabled", enabled)):
        if not isinstance(flag, bool):
            raise PipelineError(f"{word}={flag!r}: expected true or false.")


def _branches(function: Any, parameters: Mapping[str, Any]) -> tuple[Branch, ...]:
    if not isinstance(function, Mapping):
        return (Branch(None, _chain(function, parameters)),)
    if parameters:
        raise PipelineError("parameters belong to a function: write them inside the dict, as (function, {...}).")
    if not function:
        raise PipelineError("a step runs an empty dict: name at least one component value, or leave the step out.")
    keys = [_key(key) for key in function]
    for key in keys:
        if keys.count(key) > 1:
            raise PipelineError(f"a step's dict names {key!r} twice: name each once.")
    return tuple(Branch(key, _chain(pattern)) for key, pattern in zip(keys, function.values(), strict=True))


def _key(key: Any) -> str:
    if not isinstance(key, str | int) or isinstance(key, bool) or key == "":
        raise PipelineError(f"a step's dict has the key {key!r}: expected a name or a number.")
    return str(key)
