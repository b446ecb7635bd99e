"""What tells two pipelines apart, in words: for those who pass another one than they compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from hcs_core.arrays.step_function import function_version
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import Branch, FunctionCall, Operation, Step
from hcs_core.plugins.parameter import GivenImage

Versions = Mapping[tuple[str, str], str]
"""The versions of functions (see `function_version`), by the names of step and function."""


def difference(before: Sequence[Pipeline], now: Sequence[Pipeline], versions: Versions) -> str:
    """Return the first thing in which pipelines are not those before; wells do not count.

    Parameters
    ----------
    before, now
        The pipelines, which are not the same.
    versions
        What the functions of those before were: one that came from another process has lost its source, by which it
        could be told.
    """
    names = [[pipeline.name for pipeline in pipelines] for pipelines in (before, now)]
    if len(before) == len(now):
        found = (_of_pipelines(one, other, versions) for one, other in zip(before, now, strict=True))
        differs = next((text for text in found if text is not None), None)
        if differs is not None:
            return differs
    if names[0] != names[1]:
        return f"its name was {_listed(names[0])}, and is now {_listed(names[1])}"
    return "in steps that are not enabled"


def _of_pipelines(before: Pipeline, now: Pipeline, versions: Versions) -> str | None:
    first, second = ([step for step in each.steps if step.enabled] for each in (before, now))
    names = [[step.name for step in steps] for steps in (first, second)]
    if names[0] != names[1]:
        return f"its steps were {_listed(names[0])}, and are now {_listed(names[1])}"
    for one, other in zip(first, second, strict=True):
        differs = _of_steps(one, other, versions)
        if differs is not None:
            return f"step {one.name!r}: {differs}"
    for field in attrs.fields(type(before.select)):
        was, is_now = getattr(before.select, field.name), getattr(now.select, field.name)
        if field.name != "wells" and was != is_now:
            return f"select.{field.name} was {was!r}, and is now {is_now!r}"
    if before.missing != now.missing:
        return f"missing was {before.missing}, and is now {now.missing}"
    return None


def _of_steps(before: Step, now: Step, versions: Versions) -> str | None:
    for field in attrs.fields(Step):
        was, is_now = getattr(before, field.name), getattr(now, field.name)
        if field.name == "branches":
            known = {function: version for (step, function), version in versions.items() if step == now.name}
            differs = _of_branches(was, is_now, known)
            if differs is not None:
                return differs
        elif was != is_now:
            return f"{field.name} was {was!r}, and is now {is_now!r}"
    return None


def _of_branches(before: Sequence[Branch], now: Sequence[Branch], versions: Mapping[str, str]) -> str | None:
    keys = [[branch.key for branch in branches] for branches in (before, now)]
    if keys[0] != keys[1]:
        return f"its dict named {_listed(keys[0])}, and names now {_listed(keys[1])}"
    for one, other in zip(before, now, strict=True):
        if len(one.calls) != len(other.calls):
            return f"it had {len(one.calls)} call(s) one after the other, and has now {len(other.calls)}"
        for was, is_now in zip(one.calls, other.calls, strict=True):
            differs = _of_calls(was, is_now, versions)
            if differs is not None:
                return differs
    return None


def _of_calls(before: FunctionCall, now: FunctionCall, versions: Mapping[str, str]) -> str | None:
    if before.label != now.label:
        return f"it ran {before.label!r}, and runs now {now.label!r}"
    if before.operation != now.operation and _version(now.operation) != versions.get(now.label):
        return f"the function {now.label!r} has changed"
    was, is_now = dict(before.parameters), dict(now.parameters)
    for name in {**was, **is_now}:
        if was.get(name) != is_now.get(name) or (name in was) != (name in is_now):
            return f"{name} was {_value(was, name)}, and is now {_value(is_now, name)}"
    return None


def _version(operation: Operation) -> str:
    return operation if isinstance(operation, str) else function_version(operation)


def _value(parameters: dict[str, Any], name: str) -> str:
    if name not in parameters:
        return "not given"
    value = parameters[name]
    return "another image" if isinstance(value, GivenImage) else repr(value)


def _listed(names: Sequence[object]) -> str:
    return ", ".join(map(str, names)) or "none"
