"""Which planes a well will read, in order: the traversal with work that only takes notes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from math import prod

from hcs_core.compiler.node_plan import Port
from hcs_core.compiler.order.presence import Block, Cell, PlaneKey, made_shape
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.runtime.well.read_ahead import SourceKey


class _Notes:
    """Notes what would be read; every plane is `None`."""

    def __init__(self, plan: Plan) -> None:
        self._nodes = plan.nodes
        self._numbers = [channel.number for _, channel in plan.lanes]
        self.reads: list[SourceKey] = []

    def read(self, lane: int, key: PlaneKey) -> None:
        self.reads.append((self._numbers[lane], key))

    def compute(self, index: int, block: Block, planes: Iterator[None], key: PlaneKey) -> Sequence[None]:  # noqa: ARG002
        for _ in planes:
            pass
        return [None] * prod(made_shape(self._nodes[index], block))

    def compute_together(self, index: int, blocks: Sequence[Block], planes: Iterator[None]) -> Sequence[None]:  # noqa: ARG002
        for _ in planes:
            pass
        return [None] * len(blocks)

    def place(self, index: int, sites: Sequence[int], planes: Iterator[None]) -> None:  # noqa: ARG002
        for _ in planes:
            pass

    def write(self, output: int, channel: int, key: PlaneKey, plane: None) -> None:
        pass

    def hold(self, port: Port, key: PlaneKey, plane: None) -> None:
        pass

    def take(self, port: Port, key: PlaneKey, last: bool) -> None:
        pass


def forecast(
    plan: Plan, shape: WellShape, well: str, wanted: Collection[Cell] | None = None
) -> tuple[SourceKey, ...]:
    """Return the planes that a well reads, in the order in which it does; with `wanted`, for these planes only."""
    notes = _Notes(plan)
    Traversal(plan, shape, notes, well, wanted).run()
    return tuple(notes.reads)
