"""What a call of a pipeline means: the operation's signature, or the one that a user's function declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from hcs_core.arrays.step_function import declared, function_version
from hcs_core.compiler.given_positions import GivenPositions
from hcs_core.compiler.problem import Problem
from hcs_core.errors import did_you_mean
from hcs_core.pipeline.names import AXIS_OF
from hcs_core.pipeline.step import FunctionCall, Step
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import GivenImage, Parameter, ParameterValue
from hcs_core.plugins.signature import Signature


@attrs.frozen(kw_only=True)
class Resolved:
    """A call's signature; `memory_type`, `version` and `function` are set for a user's function only."""

    signature: Signature
    memory_type: str | None = None
    version: str = ""
    function: Callable[..., Any] | None = None


Images = Mapping[str, GivenImage | GivenPositions | str]
"""What was read of the files that a pipeline names: an image or positions, or why it cannot be read."""


def operations(plugins: PluginManager) -> dict[str, Signature]:
    """Return the registered operations with their signatures."""
    return {spec.operation: spec.signature for spec in plugins.kernels}


def resolve(step: Step, call: FunctionCall, plugins: PluginManager) -> Resolved | Problem:
    """Return what a call means, or what is wrong with it."""
    found = _found(step, call, plugins)
    if isinstance(found, Problem) or not step.variable_components or found.signature.plane_wise:
        return found
    return _stacking_others(step, call, found)


def _stacking_others(step: Step, call: FunctionCall, found: Resolved) -> Resolved | Problem:
    """Return what a call means where its step says which components are stacked."""
    signature = found.signature
    stacked, letters = signature.axes[:-2], [AXIS_OF[name] for name in step.variable_components]
    try:
        renamed = dict(zip(stacked, letters, strict=True))
        reduced = {renamed[axis] for axis in signature.reduced}
        signature = attrs.evolve(
            signature,
            axes="".join(renamed.get(axis, axis) for axis in signature.axes),
            out="".join(renamed.get(axis, axis) for axis in signature.out),
            out_channel=(signature.out_channel or call.label) if "c" in reduced else "",
        )
    except ValueError as error:
        return Problem(
            step=step.name,
            function=call.label,
            parameter="variable_components",
            message=f"it cannot stack {', '.join(step.variable_components)} ({error}).",
            hint=f"Name as many as it stacks ({len(stacked)}), of {', '.join(AXIS_OF)}.",
        )
    return attrs.evolve(found, signature=signature)


def _found(step: Step, call: FunctionCall, plugins: PluginManager) -> Resolved | Problem:
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
        found=call.operation,
        expected=", ".join(sorted(known)),
    )


def _declaration(label: str) -> str:
    declared_so = 'step_function(memory="numpy", axes="yx")'
    return f"{declared_so}(lambda ...)" if label == "<lambda>" else f"@{declared_so} above `def {label}`"


def _user_function(step: Step, call: FunctionCall, function: Callable[..., Any]) -> Resolved | Problem:
    known = declared(function)
    if known is None:
        return Problem(
            step=step.name,
            function=call.label,
            message="the function does not say what it takes.",
            found="a function without a declaration",
            expected="one that is decorated with step_function",
            hint=f"Write {_declaration(call.label)}.",
        )
    return Resolved(
        signature=known.signature,
        memory_type=known.memory_type,
        version=function_version(function),
        function=function,
    )


def given_parameters(
    call: FunctionCall, resolved: Resolved, images: Images
) -> tuple[tuple[str, ParameterValue], ...]:
    """Return every parameter with the value that the pipeline gives, or its default; images for their paths."""
    given = dict(call.parameters)
    found: list[tuple[str, ParameterValue]] = []
    for item in resolved.signature.parameters:
        value = given.get(item.name, item.default)
        image = images.get(value) if item.kind == "image" and isinstance(value, str) else None
        found.append((item.name, image if isinstance(image, GivenImage) else value))
    return tuple(found)


def image_names(step: Step, plugins: PluginManager) -> list[str]:
    """Return the paths of image files that a step gives to parameters."""
    names: list[str] = []
    for call in step.calls:
        texts = [(name, value) for name, value in call.parameters if isinstance(value, str)]
        # Looking a function of one's own up digests its source: only where it may take an image.
        found = _found(step, call, plugins) if texts else None
        if isinstance(found, Resolved):
            kinds = {item.name: item.kind for item in found.signature.parameters}
            names += [value for name, value in texts if kinds.get(name) == "image"]
    return names


def _image_problem(step: Step, call: FunctionCall, name: str, value: str, images: Images) -> Problem | None:
    """Return why the image file that a parameter names gives no image, or `None`."""
    image = images.get(value, f"{value} was not read.")
    if isinstance(image, GivenImage):
        return None
    if isinstance(image, GivenPositions):
        image = f"{value} is a table of positions, and no image."
    hint = "Give the path of an image of one plane, relative to the pipeline file, or an array."
    expected = "the path of an image file"
    return Problem(
        step=step.name, function=call.label, parameter=name, message=image, hint=hint, found=value, expected=expected
    )


def parameter_problems(step: Step, call: FunctionCall, resolved: Resolved, images: Images) -> list[Problem]:
    """Return what is wrong with the parameters of a call."""
    problems = []
    given = dict(call.parameters)
    taken = [item.keyword for item in resolved.signature.takes]
    names = [*(item.name for item in resolved.signature.parameters), *taken]
    for name, asked in given.items():
        if name in taken and not (isinstance(asked, str) and asked):
            text = f"expected the name of an artifact, such as 'spots', found {asked!r}."
            problems.append(
                Problem(
                    step=step.name,
                    function=call.label,
                    parameter=name,
                    message=text,
                    found=repr(asked),
                    expected="the name of an artifact",
                )
            )
        if name not in names:
            has = f"It has {', '.join(names)}." if names else "It has none."
            text = f"there is no such parameter.{did_you_mean(name, names)}"
            expected = ", ".join(names) or "no parameter"
            place = {"step": step.name, "function": call.label, "parameter": name}
            problems.append(Problem(**place, message=text, hint=has, found=name, expected=expected))
    for item in resolved.signature.parameters:
        if item.name in given:
            wrong = item.problem(given[item.name])
            value = given[item.name]
            if wrong:
                problems.append(
                    Problem(
                        step=step.name,
                        function=call.label,
                        parameter=item.name,
                        message=f"{wrong}.",
                        hint=_to_write(call, item),
                        found=repr(value),
                        expected=item.expected(),
                    )
                )
            elif item.kind == "image" and isinstance(value, str):
                unread = _image_problem(step, call, item.name, value, images)
                problems += [] if unread is None else [unread]
        elif item.required:
            problems.append(
                Problem(
                    step=step.name,
                    function=call.label,
                    parameter=item.name,
                    message=f"it has no default: expected {item.expected()}.",
                    hint=f"Write `{call.label}: {{{item.name}: ...}}`.",
                    found="nothing",
                    expected=item.expected(),
                )
            )
    return problems


def _to_write(call: FunctionCall, item: Parameter) -> str:
    """Return what to write for a parameter whose value is wrong."""
    if item.default is not None:
        value = item.default
        said = ", ".join(f"{number:g}" for number in value) if isinstance(value, tuple) else str(value)
        return f"Leave it out for its default ({said.lower() if isinstance(value, bool) else said})."
    return f"Write one: `{call.label}: {{{item.name}: ...}}`."
