"""What a call of a pipeline means: the operation's signature, or the one that a user's function declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from hcs_core.arrays.step_function import declared, function_version
from hcs_core.compiler.plan import Problem
from hcs_core.errors import UnknownNameError, did_you_mean
from hcs_core.pipeline.step import FunctionCall, Step
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.signature import ParameterValue, Signature


@attrs.frozen(kw_only=True)
class Resolved:
    """A call's signature; `memory_type`, `version` and `function` are set for a user's function only."""

    signature: Signature
    memory_type: str | None = None
    version: str = ""
    function: Callable[..., Any] | None = None

    def parameters(self, call: FunctionCall) -> tuple[tuple[str, ParameterValue], ...]:
        """Return every parameter with the value that the pipeline gives, or its default."""
        given = dict(call.parameters)
        return tuple((item.name, given.get(item.name, item.default)) for item in self.signature.parameters)


def operations(plugins: PluginManager) -> dict[str, Signature]:
    """Return the registered operations with their signatures."""
    return {spec.operation: spec.signature for spec in plugins.kernels}


def resolve(step: Step, call: FunctionCall, plugins: PluginManager) -> Resolved | Problem:
    """Return what a call means, or what is wrong with it."""
    if not isinstance(call.operation, str):
        return _user_function(step, call, call.operation)
    known = operations(plugins)
    if call.operation in known:
        return Resolved(signature=known[call.operation])
    there = f"There are {', '.join(sorted(known))}." if known else "No operation is installed."
    return Problem(
        step=step.name,
        function=call.operation,
        message=f"no operation is called {call.operation!r}.{did_you_mean(call.operation, known)}",
        hint=f"{there} `hcs functions` shows them; plugins bring more (pip install 'hcs-engine[standard]').",
    )


def _user_function(step: Step, call: FunctionCall, function: Callable[..., Any]) -> Resolved | Problem:
    known = declared(function)
    if known is None:
        return Problem(
            step=step.name,
            function=call.label,
            message="the function does not say what it takes.",
            hint=f'Write @step_function(memory="numpy", axes="yx") above `def {call.label}`.',
        )
    return Resolved(
        signature=known.signature,
        memory_type=known.memory_type,
        version=function_version(function),
        function=function,
    )


def parameter_problems(step: Step, call: FunctionCall, resolved: Resolved) -> list[Problem]:
    """Return what is wrong with the parameters of a call."""
    problems = []
    given = dict(call.parameters)
    names = [item.name for item in resolved.signature.parameters]
    for name in given:
        if name not in names:
            has = f"It has {', '.join(names)}." if names else "It has none."
            text = f"there is no such parameter.{did_you_mean(name, names)}"
            problems.append(Problem(step=step.name, function=call.label, parameter=name, message=text, hint=has))
    for item in resolved.signature.parameters:
        if item.name in given:
            wrong = item.problem(given[item.name])
            if wrong:
                problems.append(
                    Problem(step=step.name, function=call.label, parameter=item.name, message=f"{wrong}.")
                )
        elif item.required:
            problems.append(
                Problem(
                    step=step.name,
                    function=call.label,
                    parameter=item.name,
                    message=f"it has no default: expected {item.expected()}.",
                    hint=f"Write `{call.label}: {{{item.name}: ...}}`.",
                )
            )
    return problems


def memory_type_known(name: str, plugins: PluginManager) -> str | None:
    """Return what is wrong with a memory type's name, or `None`."""
    try:
        plugins.memory_types.get(name)
    except UnknownNameError as error:
        return str(error)
    return None
