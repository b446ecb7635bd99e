"""The stores of a plan's kept outputs, as the driver and the workers open them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.errors import RunError
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.task import WellTask
from hcs_core.storage.backend import ImageStore, StorageBackend


def open_stores(plan: Plan, output: Path, plugins: PluginManager) -> dict[str, ImageStore]:
    """Return the store of each kept output by its name, in the plan's order; nothing is made yet."""
    stores: dict[str, ImageStore] = {}
    for kept in plan.outputs:
        if kept.layout is None:
            raise RunError(f"the plan does not say how {kept.store!r} is laid out: it was not compiled to its end.")
        backend: StorageBackend = plugins.storage_backends.make(kept.backend)
        stores[kept.store] = backend.open(output, kept.layout)
    return stores


def mosaic_frame(plan: Plan, store: str, shape: WellShape) -> tuple[int, int] | None:
    """Return the (y, x) of the mosaic that a well has in a store; `None` where it has none there."""
    for output in plan.outputs:
        if output.store == store and output.image.is_mosaic:
            return shape.frame(output.image)
    return None


def sites_of(plan: Plan, store: str, tasks: Mapping[str, WellTask]) -> dict[str, tuple[int, ...]]:
    """Return the wells that have an image in a store, each with its sites; with none, where it has a mosaic alone."""
    found: dict[str, tuple[int, ...]] = {}
    for output in plan.outputs:
        if output.store == store:
            for well in plan.wells_of(output):
                if well in tasks:
                    found[well] = found.get(well, ()) if output.image.is_mosaic else tasks[well].sites
    return found


def mosaics_of(plan: Plan, store: str, tasks: Mapping[str, WellTask]) -> dict[str, tuple[int, int]]:
    """Return the (y, x) of the mosaics of wells that have one in a store."""
    frames = {well: mosaic_frame(plan, store, task.shape) for well, task in tasks.items()}
    return {well: frame for well, frame in frames.items() if frame is not None}
