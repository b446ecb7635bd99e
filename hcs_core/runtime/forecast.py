"""Which planes a well will read, in order: the traversal with work that only takes notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from hcs_core.compiler.plan import Plan, Port
from hcs_core.runtime.read_ahead import SourceKey
from hcs_core.runtime.traversal import PlaneKey, Traversal


class _Notes:
    """Notes what would be read; every plane is `None`."""

    def __init__(self, plan: Plan, sites: Sequence[int]) -> None:
        self._plan = plan
        self._sites = len(sites)
        self.reads: list[SourceKey] = []

    def read(self, channel: int, key: PlaneKey) -> None:
        if self._plan.source is not None:
            self.reads.append((self._plan.source.channels[channel].number, key))

    def compute(self, index: int, planes: Iterator[None], key: PlaneKey) -> Sequence[None]:  # noqa: ARG002
        for _ in planes:
            pass
        node = self._plan.nodes[index]
        sizes = node.output.axis_sizes(self._sites)
        return [None] * prod(sizes[axis] for axis in node.out[:-2])

    def write(self, output: int, channel: int, key: PlaneKey, plane: None) -> None:
        pass

    def hold(self, port: Port, key: PlaneKey, plane: None) -> None:
        pass

    def take(self, port: Port, key: PlaneKey, last: bool) -> None:
        pass


def forecast(plan: Plan, sites: Sequence[int]) -> tuple[SourceKey, ...]:
    """Return the planes that a well with these sites reads, in the order in which it does."""
    notes = _Notes(plan, sites)
    Traversal(plan, sites, notes).run()
    return tuple(notes.reads)
