"""Which writer each artifact of a plan is written with, and what is wrong with the choice."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from hcs_core.compiler.artifact_plan import ArtifactPlan
from hcs_core.compiler.problem import Problem
from hcs_core.errors import UnknownNameError
from hcs_core.pipeline.writers_config import WritersConfig
from hcs_core.plugins.manager import PluginManager


def with_writers(
    artifacts: Iterable[ArtifactPlan], config: WritersConfig, plugins: PluginManager
) -> tuple[tuple[ArtifactPlan, ...], list[Problem]]:
    """Return the artifacts with what writes each, and a problem for each kind that nothing can write."""
    problems: dict[str, Problem] = {}
    found = []
    for artifact in artifacts:
        name = str(getattr(config, artifact.kind))
        wrong = _problem(artifact.kind, name, plugins)
        if wrong is not None:
            problems.setdefault(artifact.kind, wrong)
            found.append(artifact)
            continue
        suffix = plugins.writers.get(name).suffix
        found.append(attrs.evolve(artifact, writer=name, suffix=suffix))
    return tuple(found), list(problems.values())


def _problem(kind: str, name: str, plugins: PluginManager) -> Problem | None:
    field = f"writers.{kind}"
    try:
        spec = plugins.writers.get(name)
    except UnknownNameError as error:
        return Problem(parameter=field, message=str(error), found=name, expected=_fitting(kind, plugins))
    if spec.kind == kind:
        return None
    fitting = _fitting(kind, plugins)
    return Problem(
        parameter=field,
        message=f"the writer {name!r} writes {spec.kind}, and no {kind}.",
        hint=f"Choose {fitting}." if fitting else f"Install a plugin that writes {kind}.",
        found=name,
        expected=fitting,
    )


def _fitting(kind: str, plugins: PluginManager) -> str:
    return ", ".join(item.name for item in plugins.writers if item.kind == kind)
