"""Functions of one's own as steps: the decorator that declares what a function takes and gives."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs
import numpy as np

from hcs_core.arrays.function_version import content_version
from hcs_core.errors import PipelineError
from hcs_core.plugins.artifact import Made, Taken
from hcs_core.plugins.frame import Frame
from hcs_core.plugins.parameter import Parameter, ParameterValue
from hcs_core.plugins.signature import CONTEXT, PRESENT, MissingPolicy, Signature

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__hcs_step__"
_KINDS = {bool: "bool", int: "int", float: "float", str: "str", tuple: "floats", np.ndarray: "image"}
_KIND_OF_WORD = {kind.__name__: word for kind, word in _KINDS.items()} | {"NDArray": "image"}
_WRAP_IT = "write a function of your own around it, `def mine(image): ...`."


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
    nonfinite: str = "refuse",
    frame: Frame | None = None,
    makes: Mapping[str, str] | Sequence[Made] = (),
    takes: Mapping[str, str] | Sequence[Taken] = (),
    context: bool = False,
    version: str = "",
) -> Callable[[F], F]:
    """Declare a function as a step: what array library it works in, and what axes it takes and gives.

    Parameters
    ----------
    memory
        The memory type of the arrays that it takes and returns.
    axes, out
        Letters of `stczyx`: the axes of its image, in that order, and those of what it returns (by default the
        same). The runtime maps it over all others. An empty `out` is a function that makes only artifacts: its image
        passes on.
    out_dtype
        The dtype that it returns; empty: the one that it got. What comes in floats, or in the wider dtype in which
        its memory type holds that dtype, is rounded and clipped into it; other integers are refused.
    out_channel
        The name of the channel that is left, for a function that reduces `c`.
    dtypes
        The dtypes that it takes.
    missing
        What it does where a channel or a site of its stack is absent: `refuse`, or `mask`, by which it takes a
        keyword `present`, a bool array with a value for each plane of its stack.
    nonfinite
        What becomes of an image of floats in which pixels are NaN or infinite: `refuse` fails its well before the
        function is called, `takes` gives it to a function that says what they mean.
    frame
        How it changes the plane's frame, by the names of its parameters.
    makes
        The artifacts that it returns after its image, by name: their kinds (`table`, `json` or `image`), in order.
    takes
        The keywords by which it takes artifacts of earlier steps, with their kinds; each takes what is called as it,
        unless the pipeline, or a `Taken`, names another.
    context
        Whether it takes the keyword `context`: the `ProcessingContext` of the well.
    version
        Raised by hand when its result changes; without it, a digest of its source stands for it.

    Raises
    ------
    PipelineError
        Its parameters cannot be told (each but the first is a keyword with an annotation or a default), or axes,
        a dtype, `missing` or `nonfinite` are not what they can be.

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
            takes_ = _takes(takes)
            signature = Signature(
                axes=axes,
                out=axes if out is None else out,
                parameters=_parameters(function, _told(missing, takes_, context)),
                dtypes=dtypes,
                out_dtype=out_dtype,
                out_channel=out_channel,
                missing=_missing(missing),
                nonfinite=nonfinite,
                frame=frame,
                makes=_makes(makes),
                takes=takes_,
                context=context,
            )
        except ValueError as error:
            raise PipelineError(f"step function {_name(function)!r}: {error}") from error
        try:
            setattr(function, _MARK, Declared(signature=signature, memory_type=memory, version=version))
        except AttributeError as error:
            raise PipelineError(f"step function {_name(function)!r}: it cannot be marked: {_WRAP_IT}") from error
        return function

    return declare


def _makes(given: Mapping[str, str] | Sequence[Made]) -> tuple[Made, ...]:
    if isinstance(given, Mapping):
        return tuple(Made(name=name, kind=kind) for name, kind in given.items())
    return tuple(given)


def _takes(given: Mapping[str, str] | Sequence[Taken]) -> tuple[Taken, ...]:
    if isinstance(given, Mapping):
        return tuple(Taken(keyword=keyword, kind=kind) for keyword, kind in given.items())
    return tuple(given)


def _told(missing: str, takes: tuple[Taken, ...], context: bool) -> dict[str, str]:
    """Return the keywords by which the runtime tells a function something, and what asks for each."""
    told = {PRESENT: "missing='mask'"} if missing == MissingPolicy.MASK else {}
    told |= {item.keyword: f"takes={{{item.keyword!r}: ...}}" for item in takes}
    return {**told, CONTEXT: "context=True"} if context else told


def _missing(policy: str) -> MissingPolicy:
    if policy not in list(MissingPolicy):
        raise ValueError(f"missing={policy!r}: expected {' or '.join(MissingPolicy)}")
    return MissingPolicy(policy)


def declared(function: Callable[..., Any]) -> Declared | None:
    """Return what was declared of a function, or `None`."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Declared) else None


def _name(function: Callable[..., Any]) -> str:
    if isinstance(function, functools.partial):
        return _name(function.func)
    return str(getattr(function, "__name__", type(function).__name__))


def _arguments(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function, eval_str=True).parameters.values())
    except (NameError, AttributeError, TypeError, SyntaxError):
        # An annotation that cannot be evaluated, such as "2-D image": the others are read as they are written.
        return list(inspect.signature(function).parameters.values())


def _parameters(function: Callable[..., Any], told: Mapping[str, str]) -> tuple[Parameter, ...]:
    try:
        arguments = _arguments(function)
    except (ValueError, TypeError) as error:
        raise PipelineError(f"step function {_name(function)!r}: its parameters are not known: {_WRAP_IT}") from error
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not arguments or arguments[0].kind not in positional:
        raise PipelineError(
            f"step function {_name(function)!r}: its first argument must be the image, as in "
            f"`def {_name(function)}(image)`."
        )
    # What the runtime tells it is no parameter of the pipeline's.
    names = {argument.name for argument in arguments[1:]}
    for keyword, asked_by in told.items():
        if keyword not in names:
            raise PipelineError(
                f"step function {_name(function)!r}: with {asked_by} it must take the keyword {keyword!r}, as in "
                f"`def {_name(function)}(image, *, {keyword})`."
            )
    return tuple(_parameter(function, argument) for argument in arguments[1:] if argument.name not in told)


def _parameter(function: Callable[..., Any], argument: inspect.Parameter) -> Parameter:
    required = argument.default is inspect.Parameter.empty
    kind = _kind(argument.annotation)
    if kind is None and not required:
        kind = _KINDS.get(type(argument.default))
    if kind is None or argument.kind is not inspect.Parameter.KEYWORD_ONLY:
        raise PipelineError(
            f"step function {_name(function)!r}: the parameter {argument.name!r} must be a keyword with a type, as "
            f"in `def {_name(function)}(image, *, {argument.name}: float = 1.0)`."
        )
    default: ParameterValue = None if required else argument.default
    return Parameter(name=argument.name, kind=kind, default=default, required=required)


def _kind(annotation: Any) -> str | None:
    """Return the kind that an annotation means: `float`, `tuple[float, ...]`, `float | None`, or one as a text."""
    if isinstance(annotation, str):
        optional = re.fullmatch(r"(?:\w+\.)?Optional\[(.*)\]", annotation)
        alternatives = [part.strip() for part in (optional[1] if optional else annotation).split("|")]
        words = [part.partition("[")[0].rpartition(".")[2] for part in alternatives if part != "None"]
        return _KIND_OF_WORD.get(words[0]) if len(words) == 1 else None
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _kind(rest[0]) if len(rest) == 1 else None
    return _KINDS.get(get_origin(annotation) or annotation)


def function_version(function: Callable[..., Any]) -> str:
    """Return what stands for a function's content: its declared version, or a digest of what it is made of.

    See `content_version`.
    """
    known = declared(function)
    return known.version if known is not None and known.version else content_version(function)
