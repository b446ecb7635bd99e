"""What workers are told once, as bytes; what cannot be sent is named."""

from __future__ import annotations

import pickle
from typing import Any

import cloudpickle

from hcs_core.errors import RunError, one_line
from hcs_core.runtime.task import RunJob

_REFUSALS = (pickle.PicklingError, TypeError, AttributeError, RuntimeError, ValueError, NotImplementedError)
"""What objects raise that cannot be pickled."""


def pickled(job: RunJob) -> bytes:
    """Return a job as bytes that a worker process makes the job of.

    Raises
    ------
    RunError
        Something in it cannot be sent: the text names the step and its function, or the plugin.
    """
    try:
        return _dumped(job)
    except _REFUSALS as error:
        whose, why = _culprit(job) or ("the plan", one_line(error))
        raise RunError(
            f"{whose} cannot be sent to worker processes ({why}): make what it needs inside it, or give it by "
            "parameters; or run with use_threading=True or num_workers=1, which send nothing."
        ) from error


def _dumped(value: Any) -> bytes:
    found: bytes = cloudpickle.dumps(value)
    return found


def _culprit(job: RunJob) -> tuple[str, str] | None:
    """Return what cannot be pickled, and why."""
    parts = [
        (f"step {node.step!r}: the function {node.operation!r}", node.function)
        for node in job.plan.nodes
        if node.function is not None
    ]
    parts += [
        (f"the plugin {name!r}, which this program registered,", plugin) for name, plugin in job.plugins.program
    ]
    for whose, value in parts:
        try:
            _dumped(value)
        except _REFUSALS as error:
            return whose, one_line(error)
    return None
