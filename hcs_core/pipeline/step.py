"""Steps: what to run, as a function pattern, and how."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import PipelineError, did_you_mean
from hcs_core.pipeline.names import COMPONENTS
from hcs_core.pipeline.step_options import START, StepWells, check_options, components, kept_wells
from hcs_core.plugins.parameter import RESERVED, GivenImage, ParameterValue

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
    if name in RESERVED:
        raise PipelineError(f"{name!r} is one of Step's own words and no parameter: write Step(..., {name}=...).")


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
    input
        What it takes: `start` (the plate, as the pipeline selects it), an earlier step's name, or what an earlier
        pipeline of the run left: `nuclei` (its final images) or `nuclei/max_projection`. By default the step before.
    save
        Keep the output as a plate of its own, `<name>.zarr`.
    wells
        The wells for which `save` keeps it: any filter of wells, of the whole plate. By default all.
    memory
        The memory type in which it must work.
    device
        The device on which it must work.
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
    group_by: str | None = None
    variable_components: tuple[str, ...] = ()
    input: str | None = None
    save: bool = False
    wells: StepWells = None
    memory: str | None = None
    device: str | None = None
    enabled: bool = True

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
        input: str | None = None,  # noqa: A002 - the word of the public interface
        save: bool = False,
        wells: str | int | Sequence[str | int] | None = None,
        memory: str | None = None,
        device: str | None = None,
        enabled: bool = True,
        **parameters: Any,
    ) -> None:
        check_options(name=name, input=input, memory=memory, device=device, save=save, enabled=enabled)
        branches = _branches(function, parameters)
        by_component = isinstance(function, Mapping)
        if group_by is not None and group_by not in COMPONENTS:
            raise PipelineError(
                f"group_by={group_by!r} is no component.{did_you_mean(str(group_by), COMPONENTS)} The keys of a "
                f"step's dict can name {', '.join(COMPONENTS)}."
            )
        called = name or default_name(branches)
        if called == START:
            raise PipelineError(f"a step cannot be called {START!r}, which means the plate as an input: rename it.")
        self.__attrs_init__(
            name=called,
            branches=branches,
            group_by=(str(group_by) if group_by is not None else "channel") if by_component else None,
            variable_components=components(variable_components),
            input=None if input is None else str(input),
            save=save,
            wells=kept_wells(wells, save=save),
            memory=None if memory is None else str(memory),
            device=None if device is None else str(device),
            enabled=enabled,
        )

    def renamed(self, name: str) -> Step:
        """Return the step under another name."""
        if name == self.name:
            return self
        copy = Step.__new__(Step)
        said = {field.name: getattr(self, field.name) for field in attrs.fields(Step)}
        copy.__attrs_init__(**(said | {"name": name}))
        return copy


def default_name(branches: Sequence[Branch]) -> str:
    """Return what a step is called that was given no name: by its operations."""
    return "_".join(dict.fromkeys(call.label for branch in branches for call in branch.calls))


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
