"""What the machine offers to a plan, and what an output holds already: arguments of the compiler."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs

from hcs_core.compiler.choice.costs import Costs
from hcs_core.compiler.choice.costs_file import read_costs


@attrs.frozen(kw_only=True)
class Machine:
    """What a machine offers.

    Attributes
    ----------
    cores
        The cores that this process may use.
    memory_bytes
        The machine's memory; `None` where the system does not say.
    free_disk_bytes
        The free space where results go; `None` where it is not known.
    costs
        What kernels and conversions cost here, where that was measured (`hcs doctor --measure`).
    """

    cores: int = 1
    memory_bytes: int | None = None
    free_disk_bytes: int | None = None
    costs: Costs = attrs.field(factory=Costs)


@attrs.frozen(kw_only=True)
class Existing:
    """What an output holds: the key of what made it (see `Plan.content_key`), and the wells that are whole.

    `stale` are wells that were whole once and have to be made again, each with why; `estimates` the keys of the
    reductions whose results are kept, see `Plan.estimate_key`.
    """

    content_key: str = ""
    wells: frozenset[str] = frozenset()
    stale: Mapping[str, str] = attrs.field(factory=dict)
    estimates: frozenset[str] = frozenset()


def this_machine(output: Path) -> Machine:
    """Return what this machine offers to a run whose results go to `output`."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    names = getattr(os, "sysconf_names", {})
    memory = None
    if "SC_PAGE_SIZE" in names and "SC_PHYS_PAGES" in names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    folder = output
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Machine(cores=cores, memory_bytes=memory, free_disk_bytes=free, costs=read_costs())
