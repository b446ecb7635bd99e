"""The stores of a plan's kept outputs, as the driver and the workers open them."""

from __future__ import annotations

from pathlib import Path

from hcs_core.compiler.plan import Plan
from hcs_core.errors import RunError
from hcs_core.plugins.manager import PluginManager
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
