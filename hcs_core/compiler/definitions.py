"""What stands for what pipelines say, so that contexts can be told from those of other pipelines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import attrs

from hcs_core.arrays.step_function import function_version
from hcs_core.pipeline.pipeline import Pipeline
from hcs_core.pipeline.step import FunctionCall


def definition_digest(pipelines: Iterable[Pipeline]) -> str:
    """Return a digest of pipelines: their names, steps and selections, the wells apart, which a call may override."""
    parts = [
        (
            pipeline.name,
            str(pipeline.missing or ""),
            attrs.evolve(pipeline.select, wells=None),
            [
                (
                    attrs.astuple(step, recurse=False, filter=lambda field, _: field.name != "branches"),
                    [(branch.key, [_call(call) for call in branch.calls]) for branch in step.branches],
                )
                for step in pipeline.steps
            ],
        )
        for pipeline in pipelines
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _call(call: FunctionCall) -> tuple[object, ...]:
    version = "" if isinstance(call.operation, str) else function_version(call.operation)
    return (call.label, version, call.parameters)
