"""What is wrong with one call of a function: what it raised or returned, as a sentence and as a well's fault."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hcs_core.arrays.memory_type import dtype_name
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.errors import one_line
from hcs_core.runtime.task import Fault, WellFaultError

_READ_ONLY = re.compile(r"(array|destination|argument|buffer)\b.*\bread-?only", re.IGNORECASE)
"""What numpy, OpenCV, Cython and numba say to code that wants to write into an array that is read-only."""


def fault_of(node: NodePlan, site: int | None, text: str) -> WellFaultError:
    """Return the fault of a well whose function did, at a site or (`None`) for all of them, what the text says."""
    where = "" if site is None else f", site {site}"
    error = f"step {node.step!r}, function {node.operation!r}{where}: {text}."
    return WellFaultError(Fault(error=error, site=site, step=node.step, function=node.operation))


def what_it_raised(error: Exception) -> str:
    """Return what is to be said of an error that a kernel raised; writing into its image is told as what it is."""
    text = one_line(error)
    # A file system can be read-only too.
    if _READ_ONLY.search(text) and not isinstance(error, OSError):
        return (
            f"it changes its input in place ({text}), which other steps may still read: copy it first, as in "
            "image = image.copy()"
        )
    return f"it raised {text}"


def what_it_wrote_into(names: Iterable[str], node: NodePlan) -> str | None:
    """Return what is to be said of arrays that a function of a user's wrote into, by name; `None` where it did not.

    The image has no name.
    """
    what = " and ".join(f"its parameter {name!r}" if name else "its input" for name in names)
    if not what:
        return None
    copied = _COPIED.get(node.memory_type, "a copy of it")
    return f"it changes {what} in place, which other steps may still read: copy it first, as in image = {copied}"


_COPIED = {"torch": "image.clone()", "cupy": "image.copy()"}
"""How an array is copied in the libraries that call it something."""


def what_it_returned(result: Any, node: NodePlan, wanted: tuple[int, ...], *, owner: str, held: str) -> str | None:
    """Return what is wrong with what a kernel returned, or `None`.

    Parameters
    ----------
    result
        What it returned.
    node
        What the plan says of it.
    wanted
        The shape that its signature means here.
    owner
        The memory type whose array the result is; empty: of none that is known.
    held
        The dtype in which that holds the output's.
    """
    signature = f"its signature ({node.axes} -> {node.out})"
    if isinstance(result, tuple | list):
        return f"it returned a {type(result).__name__} of {len(result)}; {signature} means one array"
    if owner != node.memory_type:
        means = f"{signature} means a {node.memory_type} array"
        if not owner:
            return f"it returned {type(result).__name__}; {means}"
        return f"it returned a {owner} array; {means}: convert it before it is returned, or write memory={owner!r}"
    shape = tuple(result.shape)
    if shape != wanted:
        return f"it returned the shape {shape}; {signature} means {wanted}"
    found = dtype_name(result)
    if found == held:
        return None
    as_held = "" if held == node.output.dtype else f", which {node.memory_type} holds as {held}"
    return (
        f"it returned {found}; its signature means {node.output.dtype}{as_held}: convert it before it is returned "
        "(what comes in floats is rounded and clipped), or declare its out_dtype"
    )
