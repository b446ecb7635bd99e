"""The JSON Schema of the pipeline file, made from the operations that are registered.

An editor that has it completes names and parameters and marks what is wrong while one types. It says what
`load_pipeline` and the compiler would say of a file alone; what only a plate can tell (which channels and wells there
are, whether images fit) it does not know.
"""

from __future__ import annotations

import math
from typing import Any

from hcs_core.pipeline.names import AXIS_OF, COMPONENTS, MissingData
from hcs_core.pipeline.pipeline_text import BRANCHES, BY, CHAIN, VERSION
from hcs_core.pipeline.step_options import START
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import RESERVED, Parameter
from hcs_core.plugins.signature import Signature
from hcs_core.plugins.stitching_signatures import CHANNEL, SUMMARIES, stitching_signatures

Schema = dict[str, Any]
"""A JSON Schema, as it is printed."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SPAN = r"\s*[0-9]{1,7}(\s*-\s*[0-9]{1,7})?\s*"
_FUNCTION = r"^[^:]+:[^:]+$"


def pipeline_schema(plugins: PluginManager) -> Schema:
    """Return the JSON Schema (draft 2020-12) of pipeline files that name the registered operations."""
    found = {spec.operation: (spec.signature, spec.summary) for spec in plugins.kernels}
    found |= {name: (signature, SUMMARIES[name]) for name, signature in stitching_signatures(plugins).items()}
    options = _options(plugins)
    own = {word: _ref(f"option_{word}") for word in options}
    return {
        "$schema": DRAFT,
        "title": "A pipeline of hcs",
        "type": "object",
        "required": ["hcs"],
        "additionalProperties": False,
        "properties": {
            "hcs": {"const": VERSION, "description": "The version of the format."},
            "name": {**_text("What the pipeline is called."), "type": ["string", "number", "boolean"]},
            "select": _select(),
            "missing": {
                "enum": [str(policy) for policy in MissingData],
                "description": "What is done where planes are absent.",
            },
            "steps": {"type": ["array", "null"], "items": _ref("step")},
        },
        "$defs": {
            "step": {
                "anyOf": [_ref(form) for form in ("name", "call_with_options", "calls", "chain", "by", "by_long")]
            },
            "name": _names(found),
            "call": {"anyOf": [_ref("name"), _calls(found, {})]},
            "call_with_options": _calls(found, own),
            "calls": {"type": "array", "minItems": 1, "items": _ref("call")},
            "call_or_calls": {"anyOf": [_ref("call"), _ref("calls")]},
            "chain": _with_options({CHAIN: _ref("calls")}, own),
            "by": _by(own),
            "by_long": _by_long(own),
            "wells": _wells(),
            **{f"option_{word}": schema for word, schema in options.items()},
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _text(description: str = "", **more: Any) -> Schema:
    return {"type": "string", "minLength": 1, **more, **({"description": description} if description else {})}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _one_or_several(item: Schema) -> list[Schema]:
    return [item, {"type": "array", "minItems": 1, "items": item}, {"type": "null"}]


def _wells() -> Schema:
    item = {"type": ["string", "integer"], "minLength": 1}
    return {
        "anyOf": _one_or_several(item),
        "description": "A01, A01:B06, row:A, col:1-6, several of these, a number (the first N), ~A01 (not it).",
    }


def _select() -> Schema:
    def numbers(lowest: int) -> Schema:
        spans = {"type": "string", "pattern": f"^{_SPAN}(,{_SPAN})*$"}
        number = {"type": "integer", "minimum": lowest, "maximum": 1_000_000}
        several = {"type": "array", "minItems": 1, "items": {"anyOf": [number, spans]}}
        return {"anyOf": [number, spans, several, {"type": "null"}]}

    return {
        "type": ["object", "null"],
        "description": "The part of the plate that it is for; what is left out is not limited.",
        "additionalProperties": False,
        "properties": {
            "wells": _ref("wells"),
            "channels": {"anyOf": _one_or_several({"type": ["string", "integer"], "minLength": 1})},
            "sites": numbers(1),
            "z": numbers(0),
            "time": numbers(1),
        },
    }


def _options(plugins: PluginManager) -> dict[str, Schema]:
    """Return the words of a step's own; `group_by` is written `by`."""
    components = {"enum": list(AXIS_OF)}
    memory_types = [*plugins.memory_types.names(), None]
    return {
        "name": {
            "type": ["string", "null"],
            "pattern": r"^[^/\\\u0000]+$",
            "not": {"enum": [".", "..", START]},
            "description": "What the step is called, and the folder of its output.",
        },
        "variable_components": {
            "anyOf": [components, {"type": "array", "uniqueItems": True, "items": components}],
            "description": "What is stacked in place of what the operation stacks by itself.",
        },
        "input": _or_null(
            _text(f"What it takes: {START} (the plate), an earlier step, an earlier pipeline, or pipeline/step.")
        ),
        "save": {"type": "boolean", "description": "Keep the output as a plate of its own."},
        "wells": _ref("wells"),
        "memory": {"enum": memory_types, "description": "The memory type in which it must work."},
        "device": _or_null(_text("The device on which it must work.")),
        "enabled": {"type": "boolean", "description": "A step that is not enabled is left out."},
    }


_WELLS_NEED_SAVE = {
    "if": {"required": ["wells"], "properties": {"wells": {"not": {"type": "null"}}}},
    "then": {"required": ["save"], "properties": {"save": {"const": True}}},
}


def _names(found: dict[str, tuple[Signature, str]]) -> Schema:
    """Return what a step can be by its name alone: an operation that needs no parameter, or a function."""
    bare = [name for name, (signature, _) in found.items() if not _required(signature)]
    return {"anyOf": [{"enum": bare}, {"type": "string", "pattern": _FUNCTION}]}


def _calls(found: dict[str, tuple[Signature, str]], options: dict[str, Schema]) -> Schema:
    """Return `operation: {parameter: value}`, with a step's own words where they may stand."""
    needs_save = _WELLS_NEED_SAVE if options else {}
    functions = {
        "type": ["object", "null"],
        "propertyNames": {"minLength": 1} if options else {"minLength": 1, "not": {"enum": list(RESERVED)}},
        "properties": options,
        **needs_save,
    }
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            name: _parameters(signature, summary, options) for name, (signature, summary) in found.items()
        },
        "patternProperties": {_FUNCTION: functions},
        "additionalProperties": False,
    }


def _parameters(signature: Signature, summary: str, options: dict[str, Schema]) -> Schema:
    required = _required(signature)
    return {
        "type": "object" if required else ["object", "null"],
        "description": summary,
        "properties": {**{item.name: _parameter(item) for item in signature.parameters}, **options},
        "additionalProperties": False,
        **({"required": required} if required else {}),
        **(_WELLS_NEED_SAVE if options else {}),
    }


def _required(signature: Signature) -> list[str]:
    return [item.name for item in signature.parameters if item.required]


def _parameter(item: Parameter) -> Schema:
    """Return what a parameter may be, with its default and its unit for those who read."""
    number = {"type": "number", **_limits(item)}
    schema: Schema = {
        "int": {**number, "type": "integer"},
        "float": number,
        "bool": {"type": "boolean"},
        "str": {"enum": list(item.choices)} if item.choices else {"type": "string"},
        "floats": {"type": "array", "items": number},
        "image": _text(),
    }[item.kind]
    if item == CHANNEL:
        schema = {"type": ["string", "integer"]}
    if item.default is None and not item.required:
        schema = {"anyOf": [schema, {"type": "null"}]}
    words = [item.description.rstrip("."), f"in {item.unit}" if item.unit else ""]
    said = ", ".join(word for word in words if word)
    return {**schema, **({"description": f"{said}."} if said else {}), **_default(item)}


def _limits(item: Parameter) -> Schema:
    words = {"minimum": item.minimum, "maximum": item.maximum, "exclusiveMinimum": item.above}
    return {word: limit for word, limit in words.items() if limit is not None and math.isfinite(limit)}


def _default(item: Parameter) -> Schema:
    """Return a default as JSON can say it: there is no infinity in it."""
    default = list(item.default) if isinstance(item.default, tuple) else item.default
    numbers = default if isinstance(default, list) else [default]
    said = not item.required and default is not None
    if not said or not all(not isinstance(number, float) or math.isfinite(number) for number in numbers):
        return {}
    return {"default": default}


def _with_options(forms: dict[str, Schema], options: dict[str, Schema]) -> Schema:
    """Return a mapping of these keys, which must be there, with a step's own words beside them, and nothing else."""
    return {
        "type": "object",
        "required": list(forms),
        "properties": {**forms, **options},
        "additionalProperties": False,
        **_WELLS_NEED_SAVE,
    }


_COMPONENT = {"enum": list(COMPONENTS), "description": "What the keys name."}


def _by(options: dict[str, Schema]) -> Schema:
    """Return a dict by component in its short form: `by`, a step's own words, and at least one branch."""
    form = _with_options({BY: _COMPONENT}, options)
    return {
        **form,
        "additionalProperties": _ref("call_or_calls"),
        "propertyNames": {"minLength": 1, "not": {"enum": ["group_by", BRANCHES]}},
        "not": {"propertyNames": {"enum": list(form["properties"])}},
    }


def _by_long(options: dict[str, Schema]) -> Schema:
    """Return a dict by component whose branches are apart from a step's own words."""
    branches = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"minLength": 1},
        "additionalProperties": _ref("call_or_calls"),
    }
    return _with_options({BY: _COMPONENT, BRANCHES: branches}, options)
