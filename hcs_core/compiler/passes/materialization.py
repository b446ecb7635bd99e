"""The materialization pass: which backend each output rests in, and how long an intermediate lives."""

from __future__ import annotations

import attrs

from hcs_core.compiler.compiling import CompileInput
from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.passes.artifact_writers import with_writers
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.problem import Problem
from hcs_core.errors import UnknownNameError
from hcs_core.plugins.manager import PluginManager


def materialization_pass(plan: Plan, given: CompileInput) -> Plan:
    """Return the plan with the backends of outputs and intermediates, the readers of channels, and writers."""
    kept, between = str(given.config.vfs.materialization_backend), str(given.config.vfs.intermediate_backend)
    # What is kept has to outlive the run; what waits between nodes may lie anywhere.
    problems = [
        *_backend_problems("materialization_backend", kept, given.plugins, durable=True),
        *_backend_problems("intermediate_backend", between, given.plugins, durable=False),
    ]
    readers: dict[Port, tuple[int, ...]] = {}
    for index, node in enumerate(plan.nodes):
        for port in node.inputs:
            readers[port] = (*readers.get(port, ()), index)
    artifacts, unwritten = with_writers(plan.artifacts, given.config.writers, given.plugins)
    return attrs.evolve(
        plan,
        artifacts=artifacts,
        outputs=tuple(attrs.evolve(output, backend=kept) for output in plan.outputs),
        intermediate_backend=between,
        source_readers=tuple(readers.get(Port(PLATE, lane), ()) for lane in range(len(plan.lanes))),
        node_readers=tuple(
            tuple(readers.get(Port(index, channel), ()) for channel in range(len(node.output.channels)))
            for index, node in enumerate(plan.nodes)
        ),
    ).with_problems(*problems, *unwritten)


def _backend_problems(field: str, name: str, plugins: PluginManager, *, durable: bool) -> list[Problem]:
    try:
        spec = plugins.storage_backends.get(name)
    except UnknownNameError as error:
        there = ", ".join(item.name for item in plugins.storage_backends if item.durable or not durable)
        return [Problem(parameter=field, message=str(error), found=name, expected=there)]
    if spec.durable or not durable:
        return []
    fitting = [item.name for item in plugins.storage_backends if item.durable]
    return [
        Problem(
            parameter=field,
            message=f"{name!r} is not a backend whose content outlives the run.",
            hint=f"Choose {' or '.join(fitting) or 'one that a plugin brings'}.",
            found=name,
            expected=", ".join(fitting),
        )
    ]
