"""In which dtype memory types hold images, asked while a plan is made: no library is imported for it."""

from __future__ import annotations

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.errors import HcsError
from hcs_core.plugins.manager import PluginManager


def held_dtype(memory_type: str, dtype: str, plugins: PluginManager) -> str:
    """Return the dtype in which a memory type holds images of another; empty where it cannot hold them at all.

    The dtype itself where there is no such memory type, or it cannot be made: that is told by those who need it.
    """
    registry = plugins.memory_types
    if memory_type == HOST or memory_type not in registry:
        return dtype
    try:
        made = registry.make(memory_type)
        with registry.calling(memory_type, "holds"):
            found: str = made.holds(dtype)
    except HcsError:
        return dtype
    return found


def unheld_by(memory_type: str, node: NodePlan, plugins: PluginManager) -> str:
    """Return the dtype, of a node's image or of its result, that a memory type cannot hold; empty: it holds both."""
    dtypes = (node.input.dtype,) if node.passes_on else (node.input.dtype, node.output.dtype)
    return next((dtype for dtype in dtypes if not held_dtype(memory_type, dtype, plugins)), "")
