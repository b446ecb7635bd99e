"""The devices pass: which device each node works on, and how many wells are worked on at once."""

from __future__ import annotations

import math

import attrs
import numpy as np

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.machine_devices import Devices
from hcs_core.compiler.passes.device_fallback import with_fallbacks
from hcs_core.compiler.passes.device_rooms import MOST_IN_BATCH, USABLE, Need, Rooms, batching, in_batches
from hcs_core.compiler.passes.node_devices import node_devices
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.plan_devices import bound_plan, devices_of
from hcs_core.compiler.problem import Problem
from hcs_core.errors import UnknownNameError
from hcs_core.plugins.manager import PluginManager

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
    """Return the plan with a device for every node, what it falls back to, the executor and the number of workers.

    There are never more workers than wells, nor than `memory_limit` and the devices have room for; a small run that
    nobody gave a number has one, which is the calling process.
    """
    # Without a limit of the user's own, the machine is one.
    limit = given.config.memory_limit or given.machine.memory_bytes
    wanted = _wanted_workers(plan, given)
    plan = with_workers(plan, wanted, limit, given.config.device, given.plugins)
    if given.config.device_fallback:
        plan = with_fallbacks(plan, given.plugins)
    problems = [*_no_executor(given), *_too_large(plan, limit, given)]
    return attrs.evolve(plan, executor=given.config.executor, threads=given.config.use_threading).with_problems(
        *problems
    )


def with_workers(plan: Plan, wanted: int, limit: int | None, device: str | None, plugins: PluginManager) -> Plan:
    """Return the plan with at most so many workers, each bound to a device where nodes work on one.

    Parameters
    ----------
    plan
        A plan whose nodes have memory types.
    wanted
        How many workers there are to be at most.
    limit
        The bytes of host memory that all of them may need together; `None`: there is no limit.
    device
        Where the configuration wants nodes to work.
    plugins
        Whose memory types say which devices there are, and what is free on them.
    """
    devices = Devices(plugins)
    found = node_devices(plan, device, plugins, devices)
    plan = attrs.evolve(plan, nodes=found.nodes, devices=(), worker_devices=()).with_problems(*found.problems)
    if found.problems or not devices_of(plan):
        return attrs.evolve(plan, workers=fitting_workers(plan, wanted, limit))
    return _on_devices(plan, wanted, limit, Rooms(plan, found.spread, plugins, devices), plugins)


def _on_devices(plan: Plan, wanted: int, limit: int | None, rooms: Rooms, plugins: PluginManager) -> Plan:
    """Return the plan with workers that are bound to devices, and batches of as many planes as there is room for."""
    needs = rooms.needs(plan)
    plan = _needing(plan, needs)
    workers = rooms.assigned(needs, fitting_workers(plan, wanted, limit))
    if not workers:
        return attrs.evolve(plan, workers=1).with_problems(_no_room(plan, rooms, needs))
    nodes = batching(plan, plugins)
    fewest, most = 1, MOST_IN_BATCH if nodes else 1
    while fewest < most:
        batch = (fewest + most + 1) // 2
        batched = rooms.needs(in_batches(plan, nodes, batch))
        host = max(need.host for need in batched.values()) * len(workers)
        if rooms.have_room(batched, workers) and (limit is None or host <= limit):
            fewest, needs = batch, batched
        else:
            most = batch - 1
    plan = _needing(in_batches(plan, nodes, fewest), needs)
    # Where all are bound to one, that is known now.
    plan = bound_plan(plan, workers[0]) if len(set(workers)) == 1 else plan
    bound = workers if any(workers) else ()
    return attrs.evolve(plan, workers=len(workers), worker_devices=bound, devices=rooms.devices(needs, workers))


def _needing(plan: Plan, needs: dict[str, Need]) -> Plan:
    return attrs.evolve(plan, peak_memory_bytes_per_worker=max(need.host for need in needs.values()))


def _no_room(plan: Plan, rooms: Rooms, needs: dict[str, Need]) -> Problem:
    device, need, free = rooms.shortest(needs)
    there = [node for node in plan.nodes if node.device in devices_of(plan)]
    largest = max(there, key=lambda node: node.needs_bytes)
    return Problem(
        step=largest.step,
        function=largest.operation,
        parameter="device",
        message=f"one worker needs {need:,} bytes on {device}, and {free:,} are free there.",
        hint="Select fewer z, channels or timepoints for the steps that stack them, free memory on the device, or "
        "use the CPU (--device cpu).",
        found=f"{free} bytes",
        expected=f"at least {math.ceil(need / USABLE)} bytes",
    )


def _no_executor(given: CompileInput) -> list[Problem]:
    try:
        given.plugins.executors.get(given.config.executor)
    except UnknownNameError as error:
        there = ", ".join(given.plugins.executors.names())
        return [Problem(parameter="executor", message=str(error), found=given.config.executor, expected=there)]
    return []


def _too_large(plan: Plan, limit: int | None, given: CompileInput) -> list[Problem]:
    """Return that a single worker needs more host memory than there may be."""
    need = plan.peak_memory_bytes_per_worker
    if limit is None or need <= limit:
        return []
    whose = "the machine has" if given.config.memory_limit is None else "memory_limit is"
    largest = max(plan.nodes, key=lambda node: node.needs_bytes, default=None)
    return [
        Problem(
            step=largest.step if largest else "",
            parameter="memory_limit",
            message=f"one worker needs {need:,} bytes, and {whose} {limit:,}.",
            hint="Raise it, or select fewer z, channels or timepoints for the steps that stack them.",
            found=f"{limit} bytes",
            expected=f"at least {need} bytes",
        )
    ]
