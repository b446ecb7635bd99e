"""Arrays that a user's function gets, and others have too: whether it wrote into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hcs_core.arrays.marks import HasMarks
from hcs_core.arrays.memory_type import HOST, MemoryType
from hcs_core.compiler.node_plan import NodePlan

IMAGE = ""
"""The name of the image among the arrays that a function gets; parameters have their own."""


class LentArrays:
    """What one call of a node's function gets: the arrays themselves, or copies where nobody can tell of a write.

    numpy's are read-only, and kernels of plugins are held to their contract: both get theirs as they are.
    """

    def __init__(self, node: NodePlan, memory: MemoryType, image: Any, keywords: Mapping[str, Any]) -> None:
        self._marks: dict[str, tuple[Any, object]] = {}
        self._memory = memory
        looks = node.function is not None and node.memory_type != HOST
        self.image = self._lent(IMAGE, image) if looks else image
        self.keywords = {
            name: self._lent(name, value) if looks and memory.owns(value) else value
            for name, value in keywords.items()
        }

    def written(self) -> Iterable[str]:
        """Return the names of those that were written into."""
        if not isinstance(self._memory, HasMarks):
            return ()
        return [name for name, (array, mark) in self._marks.items() if self._memory.mark(array) != mark]

    def _lent(self, name: str, array: Any) -> Any:
        mark = self._memory.mark(array) if isinstance(self._memory, HasMarks) else None
        if mark is None:
            # A stack of one is a copy, in every library.
            return self._memory.stack([array])[0]
        self._marks[name] = array, mark
        return array
