"""Pipeline files: YAML, lossless to and from `Pipeline`; an unknown key is an error with its line."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from hcs_core.errors import HcsError, PipelineError, did_you_mean, one_line
from hcs_core.pipeline.names import MissingData
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.pipeline_text import BRANCHES, BY, CHAIN, SELECT, VERSION, dump_pipeline
from hcs_core.pipeline.selection import Selection, numbers
from hcs_core.pipeline.step import Operation, Step
from hcs_core.pipeline.yaml_source import Located, read_yaml
from hcs_core.plugins.parameter import RESERVED

__all__ = ["dump_pipeline", "load_pipeline"]

_KEYS = ("hcs", "name", "select", "missing", "steps")
_NUMBERS = ("sites", "z", "time")
_OWN = tuple(word for word in RESERVED if word != "group_by")
"""The options that stand under their own names; `group_by` is written `by`."""


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
        if version is None or version.value is True or version.value != VERSION:
            raise self.wrong(version.line if version else source.line, f"the file must say `hcs: {VERSION}`.")
        steps = keys.get("steps", Located([], source.line))
        if not isinstance(steps.value, list | None):
            raise self.wrong(steps.line, "`steps` must be a list, a line `- operation` for each.")
        return Pipeline(
            self.name(keys.get("name")),
            [self.step(item) for item in steps.value or ()],
            select=self.selection(keys.get("select")),
            missing=self.missing(keys.get("missing")),
            folder=self.path.parent,
        )

    def name(self, source: Located | None) -> str:
        if source is None:
            return self.path.stem
        if source.value is None or source.value == "" or isinstance(source.value, list | dict):
            raise self.wrong(source.line, "`name` must be a text.")
        return str(source.value)

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
            return MissingData(source.plain())
        except ValueError as error:
            allowed = ", ".join(MissingData)
            raise self.wrong(source.line, f"missing: {source.plain()!r}: expected {allowed}.") from error

    def selection(self, source: Located | None) -> Selection:
        selection = Selection()
        if source is None or source.value is None:
            return selection
        for key, item in self.mapping(source, "select", SELECT).items():
            value = item.plain()
            try:
                if key in _NUMBERS and value is not None:
                    value = numbers(str(value) if isinstance(value, int) else value)
                selection = attrs.evolve(selection, **{SELECT[key]: value})
            except HcsError as error:
                raise self.wrong(item.line, f"select, {key}: {error}") from error
        return selection

    def step(self, source: Located) -> Step:
        try:
            value = source.value
            if isinstance(value, dict) and isinstance(getattr(value.get(BY), "value", None), str):
                return self.step_by_component(source)
            if isinstance(value, dict) and isinstance(getattr(value.get(CHAIN), "value", None), list):
                return self.chain_with_options(source)
            if isinstance(value, list):
                return Step([self.call(item) for item in value])
            operation, given = self.operation(source)
            return Step(operation, **given)
        except PipelineError as error:
            if str(error).startswith(str(self.path)):
                raise
            raise self.wrong(source.line, str(error)) from error

    def step_by_component(self, source: Located) -> Step:
        """Read a mapping with `by`: its other entries are branches and options, or options and `branches`."""
        items = dict(source.value)
        by = items.pop(BY)
        options = {name: items.pop(name).plain() for name in _OWN if name in items}
        if BRANCHES in items:
            branches = items.pop(BRANCHES)
            if items or not isinstance(branches.value, dict):
                raise self.wrong(
                    branches.line, f"`{BRANCHES}` holds all entries of a step's dict, `key: operation` each."
                )
            items = branches.value
        elif "group_by" in items:
            raise self.wrong(items["group_by"].line, f"`{BY}` says already what the keys name: leave group_by out.")
        return Step({key: self.calls(item) for key, item in items.items()}, group_by=by.value, **options)

    def chain_with_options(self, source: Located) -> Step:
        """Read a mapping with `chain`, a list, and options."""
        items = dict(source.value)
        chain = items.pop(CHAIN)
        for name, item in items.items():
            if name not in _OWN:
                raise self.wrong(
                    item.line,
                    f"unknown key {name!r}.{did_you_mean(name, _OWN)} A chain has {', '.join(_OWN)}; "
                    "parameters belong to its operations.",
                )
        return Step(self.calls(chain), **{name: item.plain() for name, item in items.items()})

    def calls(self, source: Located) -> Any:
        return [self.call(item) for item in source.value] if isinstance(source.value, list) else self.call(source)

    def call(self, source: Located) -> Any:
        return self.operation(source)

    def operation(self, source: Located) -> tuple[Operation, dict[str, Any]]:
        """Read `name` or `name: {parameter: value}`."""
        if isinstance(source.value, str):
            return self.function(source.value, source.line), {}
        if isinstance(source.value, dict) and len(source.value) == 1:
            ((name, given),) = source.value.items()
            if given.value is None or isinstance(given.value, dict):
                return self.function(name, given.line), given.plain() or {}
        raise self.wrong(source.line, "a step is `- operation`, or `- operation: {parameter: value}`.")

    def function(self, name: str, line: int) -> Operation:
        """Return an operation's name, or the function that `package.module:function` names."""
        if ":" not in name:
            return name
        module, _, attribute = name.partition(":")
        try:
            found: Operation = getattr(importlib.import_module(module), attribute)
        # It is the user's own module, which may raise anything when it is imported.
        except Exception as error:
            known = not isinstance(error, ModuleNotFoundError)
            hint = "" if known else " `hcs` looks for its module beside the pipeline file, and in what is installed."
            raise self.wrong(
                line, f"the function {name!r} cannot be imported ({one_line(error).rstrip('.')}).{hint}"
            ) from error
        return found
