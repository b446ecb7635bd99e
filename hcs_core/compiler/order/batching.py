"""Which planes are made together: in groups, as large as the batch of the node that makes them, or of one before it.

A kernel on a device is called for several images at once. So whoever asks for planes one after the other (a stack, an
output, a group further on) has those that come next made with the first, as long as they are the same node's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from hcs_core.compiler.node_plan import PLATE, NodePlan, Port
from hcs_core.compiler.order.presence import PlaneKey, Presence
from hcs_core.compiler.plan import Plan

Asked = tuple[Port, PlaneKey]
"""A plane that somebody wants: where it comes from, and which it is."""


class Batches:
    """The groups in which planes of a plan's nodes are made in one well.

    Notes
    -----
    What makes or takes artifacts, what is told which planes are absent, and what makes several planes of one block,
    works on one block at a time. A node that works plane by plane and does not batch hands on the batch of the nodes
    before it: it is called for one plane after the other, and they for all of them at once.
    """

    def __init__(self, plan: Plan, presence: Presence) -> None:
        self._plan = plan
        self._presence = presence
        self._sizes = group_sizes(plan)
        self.any = any(size > 1 for size in self._sizes)
        """Whether anything is made in groups."""

    def together(self, node: int) -> bool:
        """Whether a node's kernel gets several images at once."""
        return self._plan.nodes[node].batch > 1 and self._sizes[node] > 1

    def groups(self, asked: Iterable[Asked], is_there: Callable[[Asked], bool]) -> Iterator[tuple[Asked, ...]]:
        """Yield planes in their order, in groups of those that are made together; those that are there stand alone.

        `is_there` is asked of a group's first plane when the group before it has been made.
        """
        if not self.any:
            for plane in asked:
                yield (plane,)
            return
        group: list[Asked] = []
        for plane in asked:
            if group and not (self._fits(group, plane) and not is_there(plane)):
                yield tuple(group)
                group = []
            if not group and is_there(plane):
                yield (plane,)
                continue
            group.append(plane)
            if len(group) == self._size(plane):
                yield tuple(group)
                group = []
        if group:
            yield tuple(group)

    def _size(self, plane: Asked) -> int:
        return 1 if plane[0].node == PLATE else self._sizes[plane[0].node]

    def _fits(self, group: list[Asked], plane: Asked) -> bool:
        """Whether a plane is made by a call like those of a group: of the same node, and of as many planes."""
        (port, key), (first, first_key) = plane, group[0]
        if port.node != first.node or plane in group:
            return False
        node = self._plan.nodes[port.node]
        # What is estimated is so for each channel alone.
        if node.estimates and port.channel != first.channel:
            return False
        if node.plane_wise:
            return True
        one, other = (self._presence.block(node, *at) for at in ((first.channel, first_key), (port.channel, key)))
        return one.shape == other.shape and one.is_whole and other.is_whole


def group_sizes(plan: Plan) -> tuple[int, ...]:
    """Return how many planes of each node are made in a group at most."""
    sizes: list[int] = []
    for node in plan.nodes:
        size = 1
        if _is_alike(node):
            before = [sizes[port.node] for port in node.inputs if port.node != PLATE] if node.plane_wise else []
            size = node.batch if node.batch > 1 else max(before, default=1)
        sizes.append(size)
    return tuple(sizes)


def _is_alike(node: NodePlan) -> bool:
    """Whether the calls of a node differ by their planes alone, and make one each."""
    return node.out == "yx" and node.stitch is None and not (node.makes or node.takes or node.masks or node.context)
