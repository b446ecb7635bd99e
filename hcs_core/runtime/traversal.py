"""The order in which a well's planes are read, computed and written: pulled from the end, plane by plane.

Each plane of the final output is asked for in turn; a node that is asked for a plane asks for the planes of its
own block, computes it, hands out the one, and holds the others until their readers come. So neighbouring
plane-wise nodes are fused, a stack is held only while it is collected, and an intermediate is dropped after its
last reader. What is done with planes is the `Work`: the real one, or one that only notes what would be read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import attrs

from hcs_core.compiler.plan import PLATE, ImagePlan, NodePlan, OutputPlan, Plan, Port


@attrs.frozen
class PlaneKey:
    """A plane of an image of the plan: its site, and its timepoint and z_index as numbers, not as indices."""

    site: int
    timepoint: int
    z_index: int


class Work(Protocol):
    """What is done with planes."""

    def read(self, channel: int, key: PlaneKey) -> Any:
        """Return a plane of the plate: the source's channel at an index."""
        ...

    def compute(self, index: int, planes: Iterator[Any], key: PlaneKey) -> Sequence[Any]:
        """Return the planes that a node makes of the planes of one block, both in the order of its axes."""
        ...

    def write(self, output: int, channel: int, key: PlaneKey, plane: Any) -> None:
        """Write a plane of a kept output."""
        ...

    def hold(self, port: Port, key: PlaneKey, plane: Any) -> None:
        """Keep a plane for readers to come."""
        ...

    def take(self, port: Port, key: PlaneKey, last: bool) -> Any:
        """Return a plane that is held, and drop it if this is its last reader."""
        ...


class Traversal:
    """Runs one well of a plan with some work."""

    def __init__(self, plan: Plan, sites: Sequence[int], work: Work) -> None:
        self._plan = plan
        self._sites = tuple(sites)
        self._work = work
        self._waiting: dict[tuple[Port, PlaneKey], int] = {}
        self._written: set[tuple[Port, PlaneKey]] = set()
        self._taps: dict[Port, list[tuple[int, int]]] = {}
        for index, output in enumerate(plan.outputs):
            for channel, port in enumerate(output.ports):
                self._taps.setdefault(port, []).append((index, channel))

    def run(self) -> None:
        """Make every plane of every kept output."""
        for output in self._plan.outputs:
            for channel, key in self._in_order(output):
                if (output.ports[channel], key) not in self._written:
                    self._produce(output.ports[channel], key)

    def _in_order(self, output: OutputPlan) -> Iterator[tuple[int, PlaneKey]]:
        """Yield the planes of an output, those that one block makes next to each other, so that few have to wait."""
        together = _made_together(self._plan, output.ports[0])
        order = [axis for axis in "stcz" if axis not in together] + list(together)
        every = _every(output.image, self._sites)
        for place in itertools.product(*(every[axis] for axis in order)):
            at = dict(zip(order, place, strict=True))
            yield at["c"], PlaneKey(at["s"], at["t"], at["z"])

    def _value(self, port: Port, key: PlaneKey) -> Any:
        """Return a plane to one of its readers."""
        left = self._waiting.get((port, key))
        if left is None:
            return self._produce(port, key, reading=1)
        if left == 1:
            del self._waiting[port, key]
        else:
            self._waiting[port, key] = left - 1
        return self._work.take(port, key, last=left == 1)

    def _produce(self, port: Port, key: PlaneKey, reading: int = 0) -> Any:
        """Make a plane that is not there yet, and hold it for those of its readers that have still to come."""
        if port.node == PLATE:
            plane = self._work.read(port.channel, key)
            self._made(port, key, plane, self._plan.source_readers[port.channel] - reading)
            return plane
        node = self._plan.nodes[port.node]
        readers = self._plan.node_readers[port.node]
        results = self._work.compute(port.node, self._gather(node, port.channel, key), key)
        wanted = None
        for (channel, made_key), plane in zip(
            _block(node.out, node.output, self._sites, port.channel, key), results, strict=True
        ):
            made_port = Port(port.node, channel)
            asked = (channel, made_key) == (port.channel, key)
            wanted = plane if asked else wanted
            self._made(made_port, made_key, plane, readers[channel] - (reading if asked else 0))
        return wanted

    def _gather(self, node: NodePlan, channel: int, key: PlaneKey) -> Iterator[Any]:
        """Yield the planes of a node's block one by one, so that none is held by the time it is copied."""
        for input_channel, input_key in _block(node.axes, node.input, self._sites, channel, key):
            yield self._value(node.inputs[input_channel], input_key)

    def _made(self, port: Port, key: PlaneKey, plane: Any, readers: int) -> None:
        for output, channel in self._taps.get(port, ()):
            self._work.write(output, channel, key, plane)
            self._written.add((port, key))
        if readers > 0:
            self._waiting[port, key] = readers
            self._work.hold(port, key, plane)


def _made_together(plan: Plan, port: Port) -> str:
    """Return the stacked axes of the last node before a port that makes several planes at once; none: `""`."""
    while port.node != PLATE:
        node = plan.nodes[port.node]
        if node.out != "yx":
            return node.out[:-2]
        port = node.inputs[0]
    return ""


def _every(image: ImagePlan, sites: Sequence[int]) -> dict[str, Sequence[int]]:
    """Return every place of an image along s, t, c and z."""
    return {"s": sites, "t": image.timepoints, "c": range(len(image.channels)), "z": image.z_indexes}


def _block(
    axes: str, image: ImagePlan, sites: Sequence[int], channel: int, key: PlaneKey
) -> Iterator[tuple[int, PlaneKey]]:
    """Yield channel and key of the planes that share a block with one plane, in the order of the axes.

    Along an axis that is not among `axes` a block has the plane's own place; along one that the image was
    reduced in, the image has a single place, which is the input's first.
    """
    every = _every(image, sites)
    own = {"s": key.site, "t": key.timepoint, "c": channel, "z": key.z_index}
    stacked = axes[:-2]
    for place in itertools.product(*(every[axis] for axis in stacked)):
        at = own | dict(zip(stacked, place, strict=True))
        yield at["c"], PlaneKey(at["s"], at["t"], at["z"])
