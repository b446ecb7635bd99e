"""The devices pass: which device each node works on, and how many wells are worked on at once."""

from __future__ import annotations

import math

import attrs
import numpy as np

from hcs_core.arrays.memory_type import CPU
from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.passes.device_choice import Devices
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.errors import HcsError, PluginError, UnknownNameError

SMALL_RUN_BYTES = 256 * 2**20
"""A run that reads less is over before worker processes have started: it is done in the calling process."""


def _wanted_workers(plan: Plan, given: CompileInput) -> int:
    if given.config.num_workers is not None:
        return given.config.num_workers
    if not plan.sources or given.config.use_threading is not None:
        return given.machine.cores
    images = sum(len(plan.well_shapes[shape].sites) for _, shape in plan.wells)
    bytes_each = sum(
        source.planes * math.prod(source.shape) * np.dtype(source.dtype).itemsize for source in plan.sources
    )
    return 1 if images * bytes_each < SMALL_RUN_BYTES else given.machine.cores


def fitting_workers(plan: Plan, wanted: int, limit: int | None) -> int:
    """Return how many workers there can be: at least one, at most a well each and what memory has room for.

    A reduction samples the wells of the plate, whatever the well filter.
    """
    need = plan.peak_memory_bytes_per_worker
    room = limit // need if limit is not None and need else wanted
    tasks = max(len(plan.wells), *(len(stage.samples) for stage in plan.reductions), 0)
    return max(1, min(wanted, room, tasks))


def devices_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a device for every node, the executor and the number of workers.

    There are never more workers than wells, nor than `memory_limit` has room for; a small run that nobody gave a
    number has one, which is the calling process.
    """
    nodes, problems = _on_devices(plan, given)
    try:
        given.plugins.executors.get(given.config.executor)
    except UnknownNameError as error:
        there = ", ".join(given.plugins.executors.names())
        found = given.config.executor
        problems.append(Problem(parameter="executor", message=str(error), found=found, expected=there))
    # Without a limit of the user's own, the machine is one.
    limit = given.config.memory_limit or given.machine.memory_bytes
    need = plan.peak_memory_bytes_per_worker
    if limit is not None and need > limit:
        whose = "the machine has" if given.config.memory_limit is None else "memory_limit is"
        largest = max(plan.nodes, key=lambda node: node.needs_bytes, default=None)
        problems.append(
            Problem(
                step=largest.step if largest else "",
                parameter="memory_limit",
                message=f"one worker needs {need:,} bytes, and {whose} {limit:,}.",
                hint="Raise it, or select fewer z, channels or timepoints for the steps that stack them.",
                found=f"{limit} bytes",
                expected=f"at least {need} bytes",
            )
        )
    return attrs.evolve(
        plan,
        nodes=nodes,
        executor=given.config.executor,
        workers=fitting_workers(plan, _wanted_workers(plan, given), limit),
        threads=given.config.use_threading,
    ).with_problems(*problems)


def _on_devices(plan: Plan, given: CompileInput) -> tuple[tuple[NodePlan, ...], list[Problem]]:
    """Return the nodes with the device of each: what its step asks for, else the configuration, else what is chosen.

    The configuration's device is for the memory types that can work on more than the CPU; the others work there. A
    step's is for that step, and has to be there.
    """
    devices, wanted = Devices(given.plugins), given.config.device
    nodes: list[NodePlan] = []
    problems: list[Problem] = []
    for node in plan.nodes:
        chosen = node
        # A memory type that is not there is the memory pass's business.
        if node.memory_type in given.plugins.memory_types:
            try:
                chosen = attrs.evolve(node, device=_device(node, wanted, devices))
            except PluginError as error:
                problems.append(_no_device(node, wanted, error, _there(plan, devices)))
        nodes.append(chosen)
    if wanted is not None and nodes and not problems and not any(devices.has(n.memory_type, wanted) for n in nodes):
        message = f"no memory type that the steps work in has a device {wanted!r}."
        there = _there(plan, devices)
        problems.append(
            Problem(
                parameter="device",
                message=message,
                hint=there,
                found=wanted,
                expected=there.removeprefix("Here ").rstrip("."),
            )
        )
    return tuple(nodes), problems


def _device(node: NodePlan, wanted: str | None, devices: Devices) -> str:
    if node.asked_device is None and devices.of(node.memory_type) == (CPU,):
        return CPU
    return devices.choose(node.memory_type, node.asked_device or wanted)


def _no_device(node: NodePlan, wanted: str | None, error: PluginError, hint: str) -> Problem:
    return Problem(
        step=node.step,
        function=node.operation,
        parameter="device" if node.asked_device or wanted else "memory",
        message=str(error),
        hint=hint,
        found=node.asked_device or wanted or node.memory_type,
        expected=hint.removeprefix("Here ").rstrip("."),
    )


def _there(plan: Plan, devices: Devices) -> str:
    """Say what there is for the memory types of a plan."""
    found = []
    for name in dict.fromkeys(node.memory_type for node in plan.nodes if node.memory_type):
        try:
            found.append(f"{name} has {', '.join(devices.of(name)) or 'none'}")
        except HcsError:
            found.append(f"{name} cannot be used")
    return f"Here {'; '.join(found)}."
