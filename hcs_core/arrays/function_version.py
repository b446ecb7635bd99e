"""What stands for a function's content: its source, its defaults and what it closes over, as one short text."""

from __future__ import annotations

import functools
import hashlib
import inspect
import uuid
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_LENGTH = 16


def content_version(function: Callable[..., Any]) -> str:
    """Return a digest of what a function is made of, the same in every process.

    It is made of its source (of its byte code, where there is no source, and for a lambda, whose source is the
    whole line), its defaults and what it closes over, functions among them. What cannot be looked into stands for
    itself in this process only, so that its results are made again in the next.
    """
    digest = hashlib.sha256()
    for part in _parts(function, ()):
        digest.update(f"{len(part)}:".encode())
        digest.update(part)
    return digest.hexdigest()[:_LENGTH]


def _parts(value: Any, above: tuple[int, ...]) -> Iterator[bytes]:
    """Yield what a value is made of; `above` are the values that hold it, for those that hold themselves."""
    yield f"{type(value).__module__}.{type(value).__qualname__}".encode()
    if id(value) in above:
        yield str(len(above) - above.index(id(value))).encode()
        return
    within = (*above, id(value))
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield repr(value).encode()
    elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "O":
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, ModuleType | type):
        yield (
            f"{value.__module__}.{value.__qualname__}".encode()
            if isinstance(value, type)
            else value.__name__.encode()
        )
    else:
        pieces = _pieces(value)
        for piece in [_in_this_process(value)] if pieces is None else pieces:
            yield from _parts(piece, within)


def _pieces(value: Any) -> list[Any] | None:
    """Return the values that a value is made of, in an order that every process agrees with; `None`: unknown."""
    pieces: list[Any] | None = None
    if isinstance(value, FunctionType):
        pieces = _function_pieces(value)
    elif isinstance(value, functools.partial):
        pieces = [value.func, value.args, value.keywords]
    elif isinstance(value, MethodType):
        pieces = [value.__func__, value.__self__]
    elif isinstance(value, CodeType):
        pieces = [value.co_code, value.co_names, value.co_varnames, value.co_consts]
    elif isinstance(value, Mapping):
        pieces = [len(value), *(item for pair in value.items() for item in pair)]
    elif isinstance(value, set | frozenset):
        pieces = [len(value), *sorted(value, key=repr)]
    elif isinstance(value, tuple | list):
        pieces = [len(value), *value]
    return pieces


def _function_pieces(function: FunctionType) -> list[Any]:
    code = function.__code__
    try:
        # Of the code object: `getsource` of a function looks through decorators, at what they wrap.
        source: str | None = inspect.getsource(code)
    except OSError:
        source = None
    body = [source] if source is not None and function.__name__ != "<lambda>" else [source, code]
    return [*body, function.__defaults__, function.__kwdefaults__, *map(_content, function.__closure__ or ())]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # A name that is not bound yet.
        return None


def _in_this_process(value: Any) -> str:
    return f"{_process()}{id(value)}"


@functools.cache
def _process() -> str:
    """Return a text that no other process has: an address alone may come again."""
    return uuid.uuid4().hex
