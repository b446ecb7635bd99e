"""Pipeline files: YAML, lossless to and from `Pipeline`; an unknown key is an error with its line."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import attrs
import yaml

from hcs_core.errors import HcsError, PipelineError, did_you_mean, one_line
from hcs_core.pipeline.config import Selection, numbers
from hcs_core.pipeline.names import MissingData
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import OPTIONS, RESERVED, FunctionCall, Operation, Step
from hcs_core.pipeline.yaml_source import Located, read_yaml

VERSION = 1
_KEYS = ("hcs", "name", "select", "missing", "steps")
_SELECT = {"wells": "wells", "channels": "channels", "sites": "sites", "z": "z", "time": "timepoints"}


def load_pipeline(path: Path) -> Pipeline:
    """Read a pipeline file.

    Raises
    ------
    PipelineError
        It cannot be read; the text names the file and the line.
    """
    return _File(path).pipeline()


@attrs.frozen
class _File:
    path: Path

    def wrong(self, line: int, text: str) -> PipelineError:
        return PipelineError(f"{self.path}, line {line}: {text}")

    def pipeline(self) -> Pipeline:
        source = read_yaml(self.path, PipelineError)
        keys = self.mapping(source, "a pipeline file", _KEYS)
        version = keys.get("hcs")
        if version is None or version.value != VERSION:
            raise self.wrong(version.line if version else source.line, f"the file must say `hcs: {VERSION}`.")
        steps = keys.get("steps", Located([], source.line))
        if not isinstance(steps.value, list | None):
            raise self.wrong(steps.line, "`steps` must be a list, a line `- operation` for each.")
        name = keys["name"].value if "name" in keys else self.path.stem
        return Pipeline(
            str(name),
            [self.step(item) for item in steps.value or ()],
            select=self.selection(keys.get("select")),
            missing=self.missing(keys.get("missing")),
        )

    def mapping(self, source: Located, what: str, known: Iterable[str]) -> dict[str, Located]:
        if not isinstance(source.value, dict):
            raise self.wrong(source.line, f"{what} must be a mapping with {', '.join(known)}.")
        for key, item in source.value.items():
            if key not in known:
                raise self.wrong(
                    item.line,
                    f"unknown key {key!r}.{did_you_mean(str(key), known)} {what} has {', '.join(known)}.",
                )
        return source.value

    def missing(self, source: Located | None) -> MissingData | None:
        if source is None:
            return None
        try:
            return MissingData(source.value)
        except ValueError as error:
            allowed = ", ".join(MissingData)
            raise self.wrong(source.line, f"missing: {source.value!r}: expected {allowed}.") from error

    def selection(self, source: Located | None) -> Selection:
        if source is None:
            return Selection()
        said: dict[str, Any] = {}
        for key, item in self.mapping(source, "select", _SELECT).items():
            value = item.plain()
            try:
                if key in {"sites", "z", "time"}:
                    said[_SELECT[key]] = numbers(str(value) if isinstance(value, int) else value)
                elif isinstance(value, list):
                    said[key] = tuple(value)
                else:
                    said[key] = (value,) if key == "channels" else value
            except HcsError as error:
                raise self.wrong(item.line, f"select, {key}: {error}") from error
        return Selection(**said)

    def step(self, source: Located) -> Step:
        try:
            if isinstance(source.value, dict) and "by" in source.value:
                return self.step_by_component(source)
            if isinstance(source.value, list):
                return Step([self.call(item) for item in source.value])
            operation, given = self.operation(source)
            return Step(operation, **given)
        except PipelineError as error:
            if str(error).startswith(str(self.path)):
                raise
            raise self.wrong(source.line, str(error)) from error

    def step_by_component(self, source: Located) -> Step:
        items = dict(source.value)
        by = items.pop("by")
        options = {name: items.pop(name).plain() for name in RESERVED if name in items}
        pattern = {
            key: [self.call(part) for part in item.value] if isinstance(item.value, list) else self.call(item)
            for key, item in items.items()
        }
        return Step(pattern, group_by=by.value, **options)

    def call(self, source: Located) -> Any:
        operation, given = self.operation(source)
        return (operation, given)

    def operation(self, source: Located) -> tuple[Operation, dict[str, Any]]:
        """Read `name` or `name: {parameter: value}`."""
        if isinstance(source.value, str):
            return self.function(source.value, source.line), {}
        if isinstance(source.value, dict) and len(source.value) == 1:
            ((name, given),) = source.value.items()
            if given.value is None or isinstance(given.value, dict):
                return self.function(str(name), source.line), given.plain() or {}
        raise self.wrong(source.line, "a step is `- operation`, or `- operation: {parameter: value}`.")

    def function(self, name: str, line: int) -> Operation:
        """Return an operation's name, or the function that `package.module:function` names."""
        if ":" not in name:
            return name
        module, _, attribute = name.partition(":")
        try:
            found: Operation = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise self.wrong(line, f"the function {name!r} cannot be imported ({one_line(error)}).") from error
        return found


def dump_pipeline(pipeline: Pipeline) -> str:
    """Return a pipeline as the text of a file that `load_pipeline` reads back without loss.

    Raises
    ------
    PipelineError
        A step runs a function that cannot be imported by name.
    """
    content: dict[str, Any] = {"hcs": VERSION, "name": pipeline.name}
    select = {key: getattr(pipeline.select, field) for key, field in _SELECT.items()}
    said = {key: _listed(value) for key, value in select.items() if value is not None}
    if said:
        content["select"] = said
    if pipeline.missing is not None:
        content["missing"] = str(pipeline.missing)
    content["steps"] = [_step(step) for step in pipeline.steps]
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _step(step: Step) -> Any:
    bare = Step(_pattern(step))
    options = {
        name: getattr(step, name)
        for name in OPTIONS
        if name != "group_by" and getattr(step, name) != getattr(bare, name)
    }
    if step.group_by is not None:
        return {"by": step.group_by, **{str(branch.key): _calls(branch.calls) for branch in step.branches}, **options}
    calls = step.branches[0].calls
    if len(calls) == 1:
        given = {name: _listed(value) for name, value in calls[0].parameters} | options
        return {_operation(calls[0].operation): given} if given else _operation(calls[0].operation)
    if options:
        raise PipelineError(
            f"the step {step.name!r} is a chain with {', '.join(options)}: write it as steps of its own."
        )
    return _calls(calls)


def _pattern(step: Step) -> Any:
    chains = {
        branch.key: [(call.operation, dict(call.parameters)) for call in branch.calls] for branch in step.branches
    }
    return chains if step.group_by is not None else chains[None]


def _calls(calls: tuple[FunctionCall, ...]) -> Any:
    return [
        {_operation(call.operation): {name: _listed(value) for name, value in call.parameters}}
        if call.parameters
        else _operation(call.operation)
        for call in calls
    ]


def _operation(operation: str | Callable[..., Any]) -> str:
    if isinstance(operation, str):
        return operation
    module, name = operation.__module__, getattr(operation, "__qualname__", "")
    if module == "__main__" or not name.isidentifier():
        raise PipelineError(
            f"the function {name or operation!r} cannot be imported by name, so that a pipeline file cannot hold it: "
            "move it into a module."
        )
    return f"{module}:{name}"
