"""Writing pipeline files: the text that `load_pipeline` reads back without loss.

A step is `operation`, `operation: {parameter: value}`, a list of these (a chain), or a mapping with `by` and a
chain for each channel. Options stand among the parameters or channels. Where that would say two things, the
longer forms are written: `chain: [...]` with options beside it, and `branches: {channel: ...}`.
"""

from __future__ import annotations

import sys
from typing import Any

import attrs
import yaml

from hcs_core.errors import PipelineError
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import FunctionCall, Operation, Step, default_name, function_name
from hcs_core.plugins.parameter import RESERVED, GivenImage

VERSION = 1
BY = "by"
BRANCHES = "branches"
CHAIN = "chain"
SELECT = {"wells": "wells", "channels": "channels", "sites": "sites", "z": "z", "time": "timepoints"}
"""The keys of `select`, and the fields of `Selection` that they are."""


def dump_pipeline(pipeline: Pipeline) -> str:
    """Return a pipeline as the text of a file that `load_pipeline` reads back without loss.

    Raises
    ------
    PipelineError
        A step runs a function that cannot be imported by name.
    """
    content: dict[str, Any] = {"hcs": VERSION, "name": pipeline.name}
    select = {key: getattr(pipeline.select, field) for key, field in SELECT.items()}
    said = {key: _listed(value) for key, value in select.items() if value is not None}
    if said:
        content["select"] = said
    if pipeline.missing is not None:
        content["missing"] = str(pipeline.missing)
    content["steps"] = [_step(step) for step in pipeline.steps]
    # No aliases: two steps with the same parameters are no anchor and its copy.
    text: str = yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, default_flow_style=None)
    return text


def text_of_file(pipeline: Pipeline) -> str | None:
    """Return the text of a pipeline's file, `None` where one of its functions cannot be imported by name."""
    try:
        return dump_pipeline(pipeline)
    except PipelineError:
        return None


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # PyYAML writes these as line breaks within quotes, which are spaces when they are read.
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"' if _BREAKS.intersection(data) else None)


_BREAKS = frozenset("\x85\u2028\u2029")
_Plain.add_representer(str, _Plain.represent_str)


def _listed(value: Any) -> Any:
    if isinstance(value, GivenImage):
        if value.source:
            return value.source
        raise PipelineError(
            "an image that a step was given as an array cannot stand in a pipeline file: save it as a TIFF, and give "
            "its path."
        )
    return list(value) if isinstance(value, tuple) else value


def _step(step: Step) -> Any:
    options = _options(step)
    if step.group_by is not None:
        branches = {str(branch.key): _calls(branch.calls) for branch in step.branches}
        if set(branches) & {BY, BRANCHES, *RESERVED}:
            return {BY: step.group_by, BRANCHES: branches, **options}
        return {BY: step.group_by, **branches, **options}
    calls = step.branches[0].calls
    if len(calls) > 1:
        return {CHAIN: _calls(calls), **options} if options else _calls(calls)
    given = {name: _listed(value) for name, value in calls[0].parameters} | options
    return {_operation(calls[0].operation): given} if given else _operation(calls[0].operation)


def _options(step: Step) -> dict[str, Any]:
    """Return the options that are not what they would be unsaid."""
    unsaid = {field.name: field.default for field in attrs.fields(Step)} | {"name": default_name(step.branches)}
    return {
        name: _listed(getattr(step, name))
        for name in RESERVED
        if name != "group_by" and getattr(step, name) != unsaid[name]
    }


def _calls(calls: tuple[FunctionCall, ...]) -> Any:
    return [
        {_operation(call.operation): {name: _listed(value) for name, value in call.parameters}}
        if call.parameters
        else _operation(call.operation)
        for call in calls
    ]


def _operation(operation: Operation) -> str:
    if isinstance(operation, str):
        return operation
    module, name = getattr(operation, "__module__", ""), getattr(operation, "__qualname__", "")
    # Its module is there, as the function came from it: what the name means there must be this very function.
    found = getattr(sys.modules.get(module), name, None) if name.isidentifier() else None
    if module == "__main__" or found is not operation:
        raise PipelineError(
            f"the function {name or function_name(operation)!r} cannot be imported by name, so that a pipeline file "
            "cannot hold it: move it into a module, or give it a name of its own there."
        )
    return f"{module}:{name}"
