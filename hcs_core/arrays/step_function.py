"""Functions of one's own as steps: the decorator that declares what a function takes and gives."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from hcs_core.errors import PipelineError
from hcs_core.plugins.signature import MissingPolicy, Parameter, ParameterValue, Signature

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__hcs_step__"
_KINDS = {bool: "bool", int: "int", float: "float", str: "str", tuple: "floats"}


@attrs.frozen(kw_only=True)
class Declared:
    """What `step_function` noted on a function."""

    signature: Signature
    memory_type: str
    version: str


def step_function(
    *,
    memory: str = "numpy",
    axes: str = "yx",
    out: str | None = None,
    out_dtype: str = "",
    out_channel: str = "",
    dtypes: tuple[str, ...] = ("uint8", "uint16", "float32"),
    missing: str = "refuse",
    version: str = "",
) -> Callable[[F], F]:
    """Declare a function as a step: what array library it works in, and what axes it takes and gives.

    Parameters
    ----------
    memory
        The memory type of the arrays that it takes and returns.
    axes, out
        Letters of `stczyx`: the axes of its image, in that order, and those of what it returns (by default the
        same). The runtime maps it over all others.
    out_dtype
        The dtype that it returns; empty: the one that it got.
    out_channel
        The name of the channel that is left, for a function that reduces `c`.
    dtypes
        The dtypes that it takes.
    missing
        `refuse` or `mask`: what it does where a channel of its stack is absent.
    version
        Raised by hand when its result changes; without it, a digest of its source stands for it.

    Raises
    ------
    PipelineError
        Its parameters cannot be told: each but the first is a keyword with an annotation or a default.

    Examples
    --------
    >>> import numpy as np
    >>> from hcs_core import step_function
    >>> @step_function(axes="yx")
    ... def subtract_background(image, *, percentile: float = 5.0):
    ...     return np.clip(image - np.percentile(image, percentile), 0, None).astype(image.dtype)
    """

    def declare(function: F) -> F:
        try:
            signature = Signature(
                axes=axes,
                out=axes if out is None else out,
                parameters=_parameters(function),
                dtypes=dtypes,
                out_dtype=out_dtype,
                out_channel=out_channel,
                missing=MissingPolicy(missing),
            )
        except ValueError as error:
            raise PipelineError(f"step function {_name(function)!r}: {error}") from error
        setattr(function, _MARK, Declared(signature=signature, memory_type=memory, version=version))
        return function

    return declare


def declared(function: Callable[..., Any]) -> Declared | None:
    """Return what was declared of a function, or `None`."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Declared) else None


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    try:
        arguments = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    except NameError:  # An annotation that cannot be evaluated: defaults will do.
        arguments = list(inspect.signature(function).parameters.values())[1:]
    return tuple(_parameter(function, argument) for argument in arguments)


def _parameter(function: Callable[..., Any], argument: inspect.Parameter) -> Parameter:
    required = argument.default is inspect.Parameter.empty
    annotation = argument.annotation
    kind = _KINDS.get(annotation) or _KINDS.get(getattr(annotation, "__origin__", None) or type(None))
    if kind is None and not required:
        kind = _KINDS.get(type(argument.default))
    if kind is None or argument.kind is not inspect.Parameter.KEYWORD_ONLY:
        raise PipelineError(
            f"step function {_name(function)!r}: the parameter {argument.name!r} must be a keyword with a type, as "
            f"in `def {_name(function)}(image, *, {argument.name}: float = 1.0)`."
        )
    default: ParameterValue = None if required else argument.default
    return Parameter(name=argument.name, kind=kind, default=default, required=required)


def function_version(function: Callable[..., Any]) -> str:
    """Return what stands for a function's content: its declared version, or a digest of what it is made of.

    A digest is made of its source (of its byte code, where there is no source), its defaults and what it closes
    over.
    """
    known = declared(function)
    if known is not None and known.version:
        return known.version
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        source = repr((code.co_code, code.co_consts, code.co_names)) if code else repr(function)
    closure = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    defaults = (getattr(function, "__defaults__", None), getattr(function, "__kwdefaults__", None))
    return hashlib.sha256(f"{source}{defaults!r}{closure!r}".encode()).hexdigest()[:16]
