"""What an output holds already, as the compiler is told: wells that are whole, and why others no longer are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import attrs

from hcs_core.compiler.machine import Existing
from hcs_core.compiler.plan import Plan
from hcs_core.plate.inventory import Plate
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.artifacts.well_parts import WellParts
from hcs_core.runtime.estimates.kept_estimates import KeptEstimates, estimates_digest
from hcs_core.runtime.journal import JournalContent
from hcs_core.runtime.output_stores import open_stores
from hcs_core.runtime.task import Fallback
from hcs_core.runtime.well_tasks import well_tasks


def existing_wells(
    content: JournalContent, plan: Plan, plate: Plate, output: Path, plugins: PluginManager
) -> Existing:
    """Return the wells that the journal and every store that the plan has for them take for whole.

    Raises
    ------
    StorageError
        What the output keeps cannot be read.
    """
    if content.content_key != plan.content_key:
        return Existing(content_key=content.content_key)
    stores = open_stores(plan, output, plugins)
    stored = set(plan.well_names)
    for kept in plan.outputs:
        stored -= set(plan.wells_of(kept)).difference(stores[kept.store].finished_wells())
    if plan.measures:
        stored &= WellParts(output).wells()
    digests = {task.well: task.digest() for task in well_tasks(plan, plate)}
    estimates = KeptEstimates(output)
    found = [estimates.read(plan.estimate_key(stage)) for stage in plan.reductions]
    there = [estimate for estimate in found if estimate is not None]
    # Until all are there, nobody can say which wells were made with them: the run itself does.
    known = estimates_digest(there) if len(there) == len(found) else None
    kernels = {spec.name: spec.version for spec in plugins.kernels}
    return attrs.evolve(existing_of(content, digests, stored, known, kernels), estimates=estimates.keys())


def existing_of(
    content: JournalContent,
    planes_digests: Mapping[str, str],
    stored: Collection[str],
    estimates: str | None = None,
    kernels: Mapping[str, str] | None = None,
) -> Existing:
    """Return what the compiler is told of an output: the wells that are whole, and why others no longer are.

    `estimates` is the digest of those that are kept, `None` where not all are: until they are made again nobody can
    say which wells were made with others. `kernels` are the versions of those that are there, by name: where a device
    was too small another kernel than the planned one may have made a well, and the key does not cover that.
    """
    whole: set[str] = set()
    stale: dict[str, str] = {}
    for well, digest in content.wells.items():
        if well not in planes_digests:
            continue
        if planes_digests[well] != digest:
            stale[well] = "its planes on the plate have changed"
        elif well not in stored:
            stale[well] = "its results are gone"
        elif estimates not in {None, content.estimates.get(well, "")}:
            stale[well] = "what was estimated of the plate is another now"
        elif any(_is_another(fallback, kernels or {}) for fallback in content.fallbacks[well]):
            stale[well] = "a kernel that computed what was too large for a device is another now"
        else:
            whole.add(well)
    return Existing(content_key=content.content_key, wells=frozenset(whole), stale=stale)


def _is_another(fallback: Fallback, kernels: Mapping[str, str]) -> bool:
    """Whether another kernel than the planned one was used, and has changed since."""
    other = fallback.other_kernel
    return other not in {"", fallback.kernel} and kernels.get(other) != fallback.version
