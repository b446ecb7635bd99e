"""A step's own options: what each can be, and what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hcs_core.errors import ConfigError, PipelineError, did_you_mean
from hcs_core.pipeline.names import AXIS_OF
from hcs_core.pipeline.selection import well_filter_of

START = "start"
"""The input that is the plate, as the pipeline selects it."""

StepWells = str | int | tuple[str | int, ...] | None
"""For which wells a step's output is kept: a filter of wells, or `None` for all."""


def components(names: Any) -> tuple[str, ...]:
    """Return the components to stack, in their order.

    Raises
    ------
    PipelineError
        One of them cannot be stacked, or is named twice.
    """
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


def kept_wells(wells: Any, *, save: bool) -> StepWells:
    """Return the filter of the wells for which a step's output is kept.

    Raises
    ------
    PipelineError
        It is no filter, or the step keeps nothing.
    """
    try:
        found = well_filter_of(wells)
    except ConfigError as error:
        raise PipelineError(str(error)) from error
    if found is not None and not save:
        raise PipelineError(
            f"wells={wells!r} says for which wells the output is kept, and the step keeps none: write save=True with "
            "it, or leave wells out (the wells of the run are those of the pipeline's `select`)."
        )
    return found


def check_options(*, save: Any, enabled: Any, **texts: Any) -> None:
    """Refuse options that are not what they can be: `texts` are `name`, `input`, `memory` and `device`.

    Raises
    ------
    PipelineError
        One of them is not.
    """
    # A kept output lies in a folder of the step's name.
    name = texts.pop("name")
    if name is not None and (
        not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+", name) or name in {".", ".."}
    ):
        raise PipelineError(f"name={name!r}: expected a text without a slash, as it becomes a folder's name.")
    expected = {
        "input": f"a step's name, or {START!r}",
        "memory": "a memory type such as 'numpy'",
        "device": "a device such as 'cpu' or 'cuda:0'",
    }
    for word, text in texts.items():
        if text is not None and (not isinstance(text, str) or not text):
            raise PipelineError(f"{word}={text!r}: expected {expected[word]}.")
    for word, flag in (("save", save), ("enabled", enabled)):
        if not isinstance(flag, bool):
            raise PipelineError(f"{word}={flag!r}: expected true or false.")
