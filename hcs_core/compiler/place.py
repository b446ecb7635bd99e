"""Where planes lie, and where a node works."""

from __future__ import annotations

import attrs

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.node_plan import NodePlan


@attrs.frozen(order=True)
class Place:
    """A memory type, and one of its devices."""

    memory_type: str = HOST
    device: str = CPU

    @classmethod
    def of(cls, node: NodePlan) -> Place:
        """Return where a node works; one that has no memory type or device yet is taken to work on the host."""
        return cls(node.memory_type or HOST, node.device or CPU)
