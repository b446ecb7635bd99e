"""The paths pass: what each step makes, its name and place, its axes, shape and dtype, and whether it is kept.

All of that follows from operations, never from the kernel that computes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.operations import Resolved, parameter_problems, resolve
from hcs_core.compiler.plan import (
    PLATE,
    ImageChannel,
    ImagePlan,
    NodePlan,
    OutputPlan,
    Plan,
    Port,
    Problem,
    StepPlan,
)
from hcs_core.compiler.source_image import channel_index, with_source
from hcs_core.errors import did_you_mean
from hcs_core.pipeline.step import Branch, FunctionCall, Step


def paths_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with its source, nodes, steps and kept outputs."""
    plan = with_source(plan, given)
    builder = _Builder(given)
    if plan.source is None:
        # Shapes are unknown, but names and parameters can be checked: all problems are told at once.
        for step in given.pipeline.steps:
            if step.enabled:
                builder.check_calls(step)
        return plan.with_problems(*builder.problems)
    image = plan.source
    ports: tuple[Port, ...] = tuple(Port(PLATE, index) for index in range(len(image.channels)))
    steps: list[StepPlan] = []
    outputs: list[OutputPlan] = []
    for step in given.pipeline.steps:
        if not step.enabled:
            continue
        first = len(builder.nodes)
        image, ports = builder.add_step(step, image, ports)
        nodes = tuple(range(first, len(builder.nodes)))
        steps.append(StepPlan(name=step.name, nodes=nodes, image=image, ports=ports))
        if step.save:
            outputs.append(OutputPlan(step=step.name, store=f"{step.name}.zarr", image=image, ports=ports))
    store = given.config.zarr.store_name
    outputs.append(OutputPlan(step=steps[-1].name if steps else "", store=store, image=image, ports=ports))
    clashes = [
        Problem(step=output.step, message=f"its output {output.store!r} has the name of another one.",
                hint="Give the step another `name`.")
        for index, output in enumerate(outputs)
        if output.store in {other.store for other in outputs[:index]}
    ]  # fmt: skip
    return attrs.evolve(plan, nodes=tuple(builder.nodes), steps=tuple(steps), outputs=tuple(outputs)).with_problems(
        *builder.problems, *clashes
    )


class _Builder:
    """Collects nodes and problems while steps are added one after the other."""

    def __init__(self, given: CompileInput) -> None:
        self._given = given
        self.nodes: list[NodePlan] = []
        self.problems: list[Problem] = []

    def check_calls(self, step: Step) -> None:
        """Check what can be checked without an image: operations and their parameters."""
        for branch in step.branches:
            for call in branch.calls:
                self._resolve(step, call)

    def add_step(self, step: Step, image: ImagePlan, ports: tuple[Port, ...]) -> tuple[ImagePlan, tuple[Port, ...]]:
        """Add a step's nodes; return the image that it leaves, and where each of its channels comes from."""
        if step.group_by is None:
            return self._chain(step, step.branches[0].calls, image, ports)
        made: dict[int, tuple[ImagePlan, Port]] = {}
        known = len(self.problems)
        for branch in step.branches:
            index = self._channel_index(step, branch, image)
            if index is None:
                for call in branch.calls:
                    self._resolve(step, call)
                continue
            if index in made:
                self.problems.append(_branched_twice(step, branch, image.channels[index]))
                continue
            alone = attrs.evolve(image, channels=(image.channels[index],))
            branch_image, branch_ports = self._chain(step, branch.calls, alone, (ports[index],))
            made[index] = (branch_image, branch_ports[0])
        # Branches that could not be made differ from those that could: that is no problem of its own.
        return self._merged(step, image, ports, made) if len(self.problems) == known else (image, ports)

    def _channel_index(self, step: Step, branch: Branch, image: ImagePlan) -> int | None:
        names = [channel.name for channel in image.channels]
        index = channel_index(str(branch.key), names, [channel.number for channel in image.channels])
        if index is not None:
            return index
        self.problems.append(
            Problem(
                step=step.name,
                message=f"it has a branch for the channel {branch.key!r}, which is not there."
                f"{did_you_mean(str(branch.key), names)}",
                hint=f"There are {', '.join(names)}.",
            )
        )
        return None

    def _merged(
        self, step: Step, image: ImagePlan, ports: tuple[Port, ...], made: dict[int, tuple[ImagePlan, Port]]
    ) -> tuple[ImagePlan, tuple[Port, ...]]:
        """Put the branches' channels back among those that pass unchanged; all must have one shape and dtype."""
        merged_ports = list(ports)
        result = image
        shapes: dict[str, object] = {}
        for index, channel in enumerate(image.channels):
            own, merged_ports[index] = made.get(index, (image, ports[index]))
            shapes[channel.name] = (own.z_indexes, own.timepoints, own.shape, own.dtype)
            result = attrs.evolve(own, channels=image.channels)
        if len(set(map(repr, shapes.values()))) > 1:
            self.problems.append(
                Problem(
                    step=step.name,
                    message="its branches leave channels that differ in z, shape or dtype: no image can hold them.",
                    hint="Do the same to every channel, or run twice with --channels, into two outputs.",
                )
            )
            return image, ports
        return result, tuple(merged_ports)

    def _chain(
        self, step: Step, calls: Sequence[FunctionCall], image: ImagePlan, ports: tuple[Port, ...]
    ) -> tuple[ImagePlan, tuple[Port, ...]]:
        for call in calls:
            resolved = self._resolve(step, call)
            if resolved is None:
                continue
            wrong = _misfit(step, call, resolved, image)
            if wrong is not None:
                self.problems.append(wrong)
                continue
            made = output_image(image, resolved)
            self.nodes.append(
                NodePlan(
                    step=step.name,
                    operation=call.label,
                    axes=resolved.signature.axes,
                    out=resolved.signature.out,
                    parameters=resolved.parameters(call),
                    inputs=ports,
                    input=image,
                    output=made,
                    asked_memory_type=resolved.memory_type or step.memory,
                    version=resolved.version,
                    function=resolved.function,
                )
            )
            image = made
            ports = tuple(Port(len(self.nodes) - 1, index) for index in range(len(made.channels)))
        return image, ports

    def _resolve(self, step: Step, call: FunctionCall) -> Resolved | None:
        found = resolve(step, call, self._given.plugins)
        if isinstance(found, Problem):
            self.problems.append(found)
            return None
        self.problems.extend(parameter_problems(step, call, found))
        return found


def _branched_twice(step: Step, branch: Branch, channel: ImageChannel) -> Problem:
    return Problem(
        step=step.name,
        message=f"its branch {branch.key!r} is the channel {channel.name!r}, which has a branch already.",
        hint="Put what is to be done to it into one list.",
    )


def _misfit(step: Step, call: FunctionCall, resolved: Resolved, image: ImagePlan) -> Problem | None:
    """Return why a call cannot take an image, or `None`."""
    if image.dtype not in resolved.signature.dtypes:
        return Problem(
            step=step.name,
            function=call.label,
            message=f"its image is {image.dtype}; it takes {', '.join(resolved.signature.dtypes)}.",
            hint="Put a step before it that gives one of these.",
        )
    if resolved.memory_type is not None and step.memory not in {None, resolved.memory_type}:
        return Problem(
            step=step.name,
            function=call.label,
            parameter="memory",
            message=f"the function works in {resolved.memory_type}, and the step asks for {step.memory}.",
            hint="Leave the step's memory out, or declare the function for it.",
        )
    if "c" in resolved.signature.axes and step.group_by is not None:
        return Problem(
            step=step.name,
            function=call.label,
            message="it needs all channels together, and a dict by channel gives it one.",
            hint="Write it as a step of its own.",
        )
    return None


def output_image(image: ImagePlan, resolved: Resolved) -> ImagePlan:
    """Return the image that an operation makes of an image."""
    reduced = resolved.signature.reduced
    channels = image.channels
    if "c" in reduced:
        channels = (ImageChannel(name=resolved.signature.out_channel),)
    return attrs.evolve(
        image,
        channels=channels,
        z_indexes=image.z_indexes[:1] if "z" in reduced else image.z_indexes,
        timepoints=image.timepoints[:1] if "t" in reduced else image.timepoints,
        dtype=resolved.signature.out_dtype or image.dtype,
        z_step_um=None if "z" in reduced else image.z_step_um,
        time_step_s=None if "t" in reduced else image.time_step_s,
    )
