"""What is wrong with a step for the images that it gets: each a problem that says what to write instead."""

from __future__ import annotations

from collections.abc import Sequence

from hcs_core.compiler.graph.lanes import Group, difference
from hcs_core.compiler.graph.operations import Resolved
from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import Only
from hcs_core.compiler.problem import Problem
from hcs_core.errors import did_you_mean
from hcs_core.pipeline.names import AXIS_OF
from hcs_core.pipeline.step import Branch, FunctionCall, Step
from hcs_core.plugins.parameter import GivenImage, ParameterValue


def no_such_key(step: Step, component: str, key: str, there: Sequence[str]) -> Problem:
    """Return that a dict names what is not there."""
    return Problem(
        step=step.name,
        message=f"it has a branch for the {component} {key!r}, which is not there.{did_you_mean(key, there)}",
        hint=f"There are {', '.join(there)}.",
        found=key,
        expected=", ".join(there),
    )


def branched_twice(step: Step, branch: Branch, value: str) -> Problem:
    """Return that two keys of a dict mean the same."""
    return Problem(
        step=step.name,
        message=f"its branch {branch.key!r} is the {step.group_by} {value!r}, which has a branch already.",
        hint="Put what is to be done to it into one list.",
    )


def ill_fitting_images(
    step: Step,
    call: FunctionCall,
    resolved: Resolved,
    parameters: Sequence[tuple[str, ParameterValue]],
    image: ImagePlan,
) -> list[Problem]:
    """Return a problem for each given image that has to be like the planes and is not."""
    shapes = {name: value.pixels.shape for name, value in parameters if isinstance(value, GivenImage)}
    return [
        Problem(
            step=step.name,
            function=call.label,
            parameter=item.name,
            message=f"it is {' x '.join(map(str, shapes[item.name]))}, and the planes are "
            f"{'mosaics' if image.is_mosaic else ' x '.join(map(str, image.shape))}.",
            hint="Give one of the size that the planes have at this step.",
            found=" x ".join(map(str, shapes[item.name])),
            expected=" x ".join(map(str, image.shape)),
        )
        for item in resolved.signature.parameters
        if item.like_plane and item.name in shapes and shapes[item.name] != image.shape
    ]


def misfit(
    step: Step, call: FunctionCall, resolved: Resolved, found: Sequence[Group], only: Only | None
) -> Problem | None:
    """Return why a call cannot take these images, or `None`; of images that are not known nothing is said."""
    place = {"step": step.name, "function": call.label}
    axes = resolved.signature.axes
    known = all(group.known for group in found)
    for group in found:
        if group.known and group.image.dtype not in resolved.signature.dtypes:
            return Problem(
                **place,
                message=f"its image is {group.image.dtype}; it takes {', '.join(resolved.signature.dtypes)}.",
                hint="Put a step before it that gives one of these.",
                found=group.image.dtype,
                expected=", ".join(resolved.signature.dtypes),
            )
    if resolved.memory_type is not None and step.memory not in {None, resolved.memory_type}:
        return Problem(
            **place,
            parameter="memory",
            message=f"the function works in {resolved.memory_type}, and the step asks for {step.memory}.",
            hint="Leave the step's memory out, or declare the function for it.",
            found=str(step.memory),
            expected=resolved.memory_type,
        )
    if "c" in axes and step.group_by == "channel":
        return Problem(
            **place,
            message="it needs all channels together, and a dict by channel gives it one.",
            hint="Write it as a step of its own.",
            found="one channel",
            expected=f"all channels together ({axes})",
        )
    if known and "c" in axes and len(found) > 1:
        names = ", ".join(channel.name for channel in found[1].image.channels)
        return Problem(
            **place,
            message=f"it needs all channels in one stack, and {names} differs from the others in "
            f"{difference(found[0].image, found[1].image)}.",
            hint="Do the same to every channel before it (project them all, say), or select channels that are alike.",
            found=f"channels that differ in {difference(found[0].image, found[1].image)}",
            expected=f"channels that are alike ({axes})",
        )
    # Wells lie along no axis.
    if only is not None and only.component in AXIS_OF and AXIS_OF[only.component] in axes:
        return Problem(
            **place,
            message=f"it stacks what a dict by {only.component} takes one by one.",
            hint="Write it as a step of its own.",
            found=f"one {only.component}",
            expected=f"all of them together ({axes})",
        )
    return None
