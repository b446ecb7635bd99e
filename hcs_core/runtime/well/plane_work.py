"""What a well's run does with planes: reads them ahead, computes blocks, writes what is kept, holds what waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.node_plan import NodePlan, Port
from hcs_core.compiler.order.presence import Block, PlaneKey
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.plugins.signature import CONTEXT
from hcs_core.runtime.context import ProcessingContext
from hcs_core.runtime.well.intermediates import Intermediates, plane_address
from hcs_core.runtime.well.kernels import Kernels
from hcs_core.runtime.well.mosaic_work import MosaicWork
from hcs_core.runtime.well.read_ahead import ReadAhead
from hcs_core.runtime.well.well_artifacts import WellArtifacts
from hcs_core.storage.backend import WellStore

Estimates = Mapping[tuple[int, int], Mapping[str, Any]]
"""What was estimated: parameters by the index of a node and of its channel."""


@attrs.frozen
class Held:
    """A plane, the memory type that it is in, and its image's dtype, which is held there in that or a wider one."""

    array: Any
    memory_type: str
    dtype: str


def _on_host(array: npt.NDArray[Any]) -> Held:
    return Held(array, HOST, array.dtype.name)


@attrs.frozen(kw_only=True)
class PlaneWork:
    """The work of a `Traversal` that makes pixels, for one well.

    `numbers` are the plate's, of the plan's lanes; `stores` those of the outputs that are made for the well, by their
    positions in the plan; `estimates` what was estimated, by node and channel.
    """

    plan: Plan
    shape: WellShape
    numbers: tuple[int, ...]
    kernels: Kernels
    ahead: ReadAhead
    stores: Mapping[int, WellStore]
    intermediates: Intermediates
    mosaics: MosaicWork
    artifacts: WellArtifacts
    context: ProcessingContext
    estimates: Estimates = attrs.field(factory=dict)

    def read(self, lane: int, key: PlaneKey) -> Held:
        """Return a plane of the plate."""
        return _on_host(self.ahead.get((self.numbers[lane], key)))

    def compute(self, index: int, block: Block, planes: Iterator[Held], key: PlaneKey) -> Sequence[Held]:
        """Return the planes that a node makes of those of one block."""
        node = self.plan.nodes[index]
        if node.stitch is not None:
            sites = [cell.site for (_, cell), is_there in zip(block.cells, block.present, strict=True) if is_there]
            return [_on_host(self.mosaics.fuse(index, sites, map(self.on_host, planes)))]
        image, frame = self._array(node, block, planes), self.shape.frame(node.output)
        call = self.artifacts.call(index, block)
        told = {CONTEXT: self.context} if node.context else {}
        told |= self.artifacts.told(call, lambda array: self._given(node, array))
        # What is estimated is so for each channel alone, and such nodes never stack channels.
        told |= self.estimates.get((index, block.cells[0][0]), {})
        result, made = self.kernels.call(index, image, block, key.site, told, frame)
        self.artifacts.note(call, made)
        if node.passes_on:
            return []
        if node.out == "yx":
            return [Held(result, node.memory_type, node.output.dtype)]
        stacked = result.reshape((-1, *frame))
        return [Held(stacked[place], node.memory_type, node.output.dtype) for place in range(stacked.shape[0])]

    def _given(self, node: NodePlan, image: npt.NDArray[Any]) -> Any:
        """Return an image that a node takes by name, in its memory type; on the host nobody can write into it."""
        given = self.kernels.convert(image, HOST, node.memory_type, image.dtype.name, node.device)
        if given is image:
            given = image.view()
            given.flags.writeable = False
        return given

    def _array(self, node: NodePlan, block: Block, planes: Iterator[Held]) -> Any:
        """Put the planes of a block together in the node's memory type; a stack is filled plane by plane.

        A plane that is absent is 0, and the kernel is told.
        """
        if node.plane_wise:
            held = next(planes)
            return self.kernels.convert(held.array, held.memory_type, node.memory_type, held.dtype, node.device)
        frame = self.shape.frame(node.input)
        stack: npt.NDArray[Any] = np.empty((prod(block.shape), *frame), node.input.dtype)
        for place, is_there in enumerate(block.present):
            if is_there:
                # No name keeps the plane: it is gone before the next one is asked for.
                self._fill(stack, place, next(planes))
            else:
                stack[place] = 0
        stack = stack.reshape(*block.shape, *frame)
        return self.kernels.convert(stack, HOST, node.memory_type, node.input.dtype, node.device)

    def _fill(self, stack: npt.NDArray[Any], place: int, held: Held) -> None:
        stack[place] = self.on_host(held)

    def on_host(self, held: Held) -> npt.NDArray[Any]:
        """Return a plane as numpy's array."""
        array: npt.NDArray[Any] = self.kernels.convert(held.array, held.memory_type, HOST, held.dtype)
        return array

    def place(self, index: int, sites: Sequence[int], planes: Iterator[Held]) -> None:
        """Find the positions of the well's sites."""
        self.mosaics.place(index, sites, map(self.on_host, planes))

    def write(self, output: int, channel: int, key: PlaneKey, plane: Held) -> None:
        """Write a plane of a kept output."""
        address = plane_address(self.plan.outputs[output].image, channel, key)
        self.stores[output].write(address, self.on_host(plane))

    def hold(self, port: Port, key: PlaneKey, plane: Held) -> None:
        """Keep a plane for readers to come."""
        self.intermediates.put(port, key, self.on_host(plane))

    def take(self, port: Port, key: PlaneKey, last: bool) -> Held:
        """Return a plane that is held, and drop it after its last reader."""
        return _on_host(self.intermediates.take(port, key, last=last))
