"""NaN and infinities in images of floats: which nodes look for them, and what is said where they find some."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from hcs_core.arrays.memory_type import MemoryType, dtype_name
from hcs_core.arrays.step_function import declared
from hcs_core.compiler.node_plan import PLATE, NodePlan
from hcs_core.compiler.order.presence import Block
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.signature import REFUSE
from hcs_core.runtime.well.call_faults import fault_of


def checking_nodes(plan: Plan, plugins: PluginManager) -> frozenset[int]:
    """Return the nodes that look at their image before they compute: an image is looked at once on its way.

    A node looks where it refuses NaN and infinities and gets floats that nobody has looked at. Behind it nobody looks
    again, as plugins' kernels make neither of finite pixels (`KernelContract`); what a user's function, or a
    stitcher, returns is looked at anew.
    """
    checking: set[int] = set()
    finite: set[int] = set()
    for index, node in enumerate(plan.nodes):
        known = not _floats(node.input.dtype) or all(
            port.node != PLATE and port.node in finite for port in node.inputs
        )
        refuses = _refuses(node, plugins)
        if refuses and not known:
            checking.add(index)
        # Where a node does not work, its image passes by without a look.
        gets_finite = known or (refuses and node.only is None)
        if not _floats(node.output.dtype) or (gets_finite and node.registered_kernel):
            finite.add(index)
    return frozenset(checking)


def refuse_nonfinite(
    node: NodePlan, memory: MemoryType, image: Any, blocks: Sequence[Block], site: int | None
) -> None:
    """Raise a fault where pixels of an image are NaN or infinite.

    Parameters
    ----------
    node
        Whose image it is.
    memory
        Its memory type.
    image
        The image; those of `blocks` along one more axis in front, where there are some.
    blocks
        What each image is of, where there are several.
    site
        Where the image is from, or the first of them.

    Raises
    ------
    WellFaultError
        It says how many of how many pixels there are.
    """
    count = memory.nonfinite(image)
    if not count:
        return
    for place, block in enumerate(blocks):
        refuse_nonfinite(node, memory, image[place], (), _site(block))
    size = prod(image.shape)
    raise fault_of(
        node,
        site,
        f"{count} of {size} pixels of its {node.input.dtype} image are NaN or infinite, and it refuses such; replace "
        "them in a step before (a function with nonfinite='takes' gets them)",
    )


def _site(block: Block) -> int:
    return next(key.site for (_, key), is_there in zip(block.cells, block.present, strict=True) if is_there)


def _floats(dtype: str) -> bool:
    return dtype.startswith(("float", "complex"))


def _refuses(node: NodePlan, plugins: PluginManager) -> bool:
    """Whether a node's function refuses NaN and infinities; a stitcher does not."""
    if node.function is not None:
        known = declared(node.function)
        return known is not None and known.signature.nonfinite == REFUSE
    name = node.registered_kernel
    return bool(name) and plugins.kernels.get(name).signature.nonfinite == REFUSE


def what_no_integer_is(node: NodePlan, memory: MemoryType, result: Any) -> str | None:
    """Return what is wrong with floats that a user's function returned for an image of integers, or `None`.

    What is NaN or infinite would be rounded into a pixel that looks like any other.
    """
    if not _floats(dtype_name(result)) or _floats(node.output.dtype):
        return None
    count = memory.nonfinite(result)
    if not count:
        return None
    return (
        f"{count:,} of the {prod(result.shape):,} pixels that it returned are NaN or infinite, which no "
        f"{node.output.dtype} is: say what they become, as in np.nan_to_num(image), before it returns"
    )
