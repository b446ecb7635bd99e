"""The devices pass: which device each node works on, and how many wells are worked on at once."""

from __future__ import annotations

import attrs

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.plan import Plan, Problem
from hcs_core.errors import UnknownNameError

CPU = "cpu"


def devices_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with a device for every node, the executor and the number of workers.

    There are never more workers than wells, nor than `memory_limit` has room for.
    """
    problems = []
    try:
        given.plugins.executors.get(given.config.executor)
    except UnknownNameError as error:
        problems.append(Problem(parameter="executor", message=str(error)))
    workers = min(given.config.num_workers or given.machine.cores, max(1, len(plan.wells)))
    limit, need = given.config.memory_limit, plan.peak_memory_bytes_per_worker
    if limit is not None and need:
        if need > limit:
            largest = max(plan.nodes, key=lambda node: node.needs_bytes, default=None)
            problems.append(
                Problem(
                    step=largest.step if largest else "",
                    parameter="memory_limit",
                    message=f"one worker needs {need:,} bytes, and memory_limit is {limit:,}.",
                    hint="Raise it, or select fewer z, channels or timepoints for the steps that stack them.",
                )
            )
        workers = max(1, min(workers, limit // need))
    return attrs.evolve(
        plan,
        nodes=tuple(attrs.evolve(node, device=CPU) for node in plan.nodes),
        executor=given.config.executor,
        workers=workers,
        threads=given.config.use_threading,
    ).with_problems(*problems)
