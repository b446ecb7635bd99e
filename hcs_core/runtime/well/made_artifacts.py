"""What a function returned, taken apart and checked against what its signature says that it makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from hcs_core.arrays.table import Table
from hcs_core.compiler.artifact_plan import MadePlan
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.plugins.artifact import ArtifactKind, Made
from hcs_core.plugins.signature import Signature

METADATA = "Metadata_"
"""How the columns begin that a run adds to every table."""

ToHost = Callable[[Any], Any]


def taken_apart(node: NodePlan | Signature, result: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the image and the artifacts that a function returned; `None` for the image of one that makes none.

    `node` is what it says that it makes.

    Raises
    ------
    ValueError
        It returned another number of things.
    """
    if not node.makes:
        return result, ()
    expected = len(node.makes) + (not node.passes_on)
    if expected == 1:
        return None, (result,)
    if not isinstance(result, tuple) or len(result) != expected:
        words = [*([] if node.passes_on else ["image"]), *(f"{made.name}: {made.kind}" for made in node.makes)]
        found = f"{len(result)} things" if isinstance(result, tuple) else type(result).__name__
        raise ValueError(f"it returned {found}; its signature means {expected}: ({', '.join(words)})")
    return (None, result) if node.passes_on else (result[0], result[1:])


def checked(made: MadePlan | Made, value: Any, to_host: ToHost) -> Any:
    """Return an artifact as it is kept: a `Table`, JSON as a text, or an array of the host, each with its own memory.

    Raises
    ------
    ValueError
        It is not of its kind; the text says what it is.
    """
    name = made.name
    try:
        if made.kind == ArtifactKind.TABLE:
            return _table(value)
        if made.kind == ArtifactKind.JSON:
            return _json(value)
        return _image(value, to_host)
    except (TypeError, ValueError) as error:
        raise ValueError(f"its {made.kind} {name!r} cannot be kept: {error}") from error


def _table(value: Any) -> Table:
    columns: Any = value.columns if isinstance(value, Table) else value
    if not callable(getattr(columns, "items", None)):
        raise TypeError(f"it is {type(value).__name__}, expected a mapping of names to columns")
    # Copies: the function may use its arrays again.
    table = Table({name: column.copy() for name, column in Table(dict(columns)).columns.items()})
    added = [name for name in table.names if name.startswith(METADATA)]
    if added:
        raise ValueError(f"its column {added[0]!r} begins like those that the run adds; give it another name")
    for column in table.columns.values():
        column.flags.writeable = False
    return table


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise ValueError(f"JSON has no {type(value).__name__}")


def _image(value: Any, to_host: ToHost) -> Any:
    array = np.array(to_host(value))
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise ValueError(f"it is {array.dtype} of shape {array.shape}, expected an array of numbers")
    return array
