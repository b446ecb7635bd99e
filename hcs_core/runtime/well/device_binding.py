"""To which device a worker is bound: known when it starts, where nodes of the plan name no device but its kind."""

from __future__ import annotations

import attrs

from hcs_core.arrays.device_names import kind_of
from hcs_core.compiler.machine_devices import Devices
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.plan_devices import bound_plan, devices_of
from hcs_core.errors import RunError
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.task import RunJob


def bound_job(job: RunJob, plugins: PluginManager, device: str = "") -> RunJob:
    """Return the job of a worker that is bound to a device: each node of its plan names one.

    Parameters
    ----------
    job
        What a worker was told.
    plugins
        Whose memory types are asked what there is.
    device
        The worker's device; empty: the best of this machine for each kind that nodes name.

    Raises
    ------
    RunError
        This machine has no device of a kind that nodes name.
    PluginError
        A memory type cannot be asked.
    """
    plan = bound_plan(job.plan, device) if device else job.plan
    here = Devices(plugins)
    for kind in (name for name in devices_of(plan) if _is_kind(plan, name, here)):
        plan = bound_plan(plan, _best(plan, kind, here))
    return job if plan is job.plan else attrs.evolve(job, plan=plan)


def _is_kind(plan: Plan, name: str, here: Devices) -> bool:
    """Whether a name that nodes have is of no device here, as it may be the name of a kind."""
    return kind_of(name) == name and any(
        name not in here.of(node.memory_type) for node in plan.nodes if node.device == name
    )


def _best(plan: Plan, kind: str, here: Devices) -> str:
    node = next(node for node in plan.nodes if node.device == kind)
    there = here.matching(node.memory_type, kind)
    if not there:
        raise RunError(
            f"step {node.step!r}: this machine has no device {kind!r} for the memory type {node.memory_type!r}: run "
            "it on one that has, or with --device cpu."
        )
    return there[0]
