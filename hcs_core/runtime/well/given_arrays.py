"""Arrays that functions are told by keyword: profiles, estimates and images that other functions made."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.arrays.conversion import Converter
from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.node_plan import NodePlan


class GivenArrays:
    """Converts what functions are told into their memory types; what stays the same is converted once.

    Of each keyword of each channel of a node, the last array stays where it was brought.
    """

    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._there: dict[tuple[int, int, str, str, str], tuple[npt.NDArray[Any], Any]] = {}

    def at(self, index: int, channel: int, node: NodePlan, keyword: str, value: Any) -> Any:
        """Return what a node's function is told: an array in its memory type, on its device; else the value itself.

        `node` says where the function works. Numpy's arrays cannot be written to: others are told the same, and so a
        memory type shares none of them that it would let be written to.
        """
        if not isinstance(value, np.ndarray):
            return value
        if node.memory_type == HOST:
            return read_only(value)
        key = (index, channel, keyword, node.memory_type, node.device)
        known = self._there.get(key)
        if known is None or known[0] is not value:
            # The one before goes first: a device need not hold both.
            self._there.pop(key, None)
            array = self._converter.convert(read_only(value), HOST, node.memory_type, value.dtype.name, node.device)
            known = self._there[key] = (value, array)
        return known[1]

    def forget(self) -> None:
        """Forget all of them."""
        self._there.clear()


def read_only(array: Any) -> Any:
    """Return an array as one that cannot be written to, where its library knows such: others may still read it.

    It is a view, so that a kernel may keep it, give it back, or take another shape of it.
    """
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
