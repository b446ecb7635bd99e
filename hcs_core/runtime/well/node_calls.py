"""Calls of a node: its planes put together where its kernel works, and what is done where a device is too small."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from math import prod
from typing import Any, TypeVar

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.arrays.memory_type import HOST
from hcs_core.compiler.order.presence import Block
from hcs_core.errors import one_line
from hcs_core.runtime.well.call_faults import fault_of
from hcs_core.runtime.well.fallbacks import Fallbacks
from hcs_core.runtime.well.held import Held, Moves, on_host, whole_of
from hcs_core.runtime.well.kernels import Kernel, Kernels

T = TypeVar("T")

_WHAT_TO_DO = (
    "select a smaller part of its images, give the device fewer workers, or let it work on the CPU (device: cpu)"
)


@attrs.frozen(kw_only=True)
class CallOf:
    """What a call is of: a node, the site of its planes, what it is told, and the (y, x) that it gets and gives."""

    index: int
    site: int
    told: Mapping[str, Any]
    taken: tuple[int, int]
    made: tuple[int, int]


class NodeCalls:
    """Calls the kernels of a plan's nodes; one runner of wells has one.

    Where a device's memory is too small for a call, what libraries keep is released and the call is made again with
    half of its images, down to one; then the kernel that the plan names for it computes that one, or the well fails.
    """

    def __init__(self, kernels: Kernels) -> None:
        self.kernels = kernels
        self.moves = Moves(kernels.converter)
        self.fallbacks = Fallbacks()
        self._why = ""

    def taken_conversions(self) -> dict[str, int]:
        """Return how often images were converted since this was asked last, by route."""
        counts = self.kernels.converter.counts
        found = dict(counts)
        counts.clear()
        return found

    def one(self, call: CallOf, block: Block, planes: Iterator[Held]) -> tuple[Held, tuple[Any, ...]]:
        """Return what a node makes of a block: its image (of a node that makes none, nothing) and its artifacts.

        Raises
        ------
        WellFaultError
            As `Kernels.call` does; or a device is full, and nothing else may compute it.
        """
        kernel = self.kernels.planned(call.index)
        image = self._block(kernel, call, block, planes)
        return self._one(kernel, call, block, image)

    def together(self, call: CallOf, blocks: Sequence[Block], planes: Iterator[Held]) -> list[Held]:
        """Return the plane that a node makes of each of some blocks, as many at once as there is room for.

        Raises
        ------
        WellFaultError
            As for `one`.
        """
        kernel = self.kernels.planned(call.index)
        images = deque(self._block(kernel, call, block, islice(planes, len(block.cells))) for block in blocks)
        made: list[Held] = []
        while images:
            size = min(self.fallbacks.batch(kernel), len(images))
            results = self._some(kernel, call, blocks[len(made) : len(made) + size], images)
            if results is None:
                self.fallbacks.halve(kernel, size)
                continue
            # What did not go at once has no room there together afterwards either.
            made += results if size == len(blocks) else [on_host(self.moves.on_host(held)) for held in results]
            # Gone from the device before the next ones are made there.
            del results
            for _ in range(size):
                images.popleft()
        return made

    def _some(self, kernel: Kernel, call: CallOf, blocks: Sequence[Block], images: deque[Held]) -> list[Held] | None:
        """Return what the first images give, one of each block; `None` where the device is full."""
        if len(blocks) == 1:
            alone = attrs.evolve(call, site=blocks[0].cells[0][1].site)
            return [self._one(kernel, alone, blocks[0], images[0])[0]]
        return self._try(kernel, partial(self._batch, kernel, call, blocks, list(islice(images, len(blocks)))))

    # --- Calls ----------------------------------------------------------------------------------------------

    def _one(self, kernel: Kernel, call: CallOf, block: Block, image: Held) -> tuple[Held, tuple[Any, ...]]:
        if not self.kernels.is_on_device(kernel):
            return self._called(kernel, call, block, image)
        attempt = partial(self._called, kernel, call, block, image)
        # Once more, as others may have kept what was released.
        found = self._try(kernel, attempt) or self._try(kernel, attempt)
        if found is not None:
            return found
        other = self.kernels.fallback(call.index)
        if other is None:
            raise fault_of(
                kernel.node,
                call.site,
                f"{kernel.node.device} has too little memory for it ({self._why}); {_WHAT_TO_DO}",
            )
        image.forget_moved()
        self.fallbacks.note(kernel, other)
        return self._called(other, call, block, image)

    def _called(self, kernel: Kernel, call: CallOf, block: Block, image: Held) -> tuple[Held, tuple[Any, ...]]:
        node = kernel.node
        array = self.moves.at(image, node.memory_type, node.device)
        result, artifacts = self.kernels.call(kernel, array, (block,), call.site, call.told, call.made)
        return Held(result, node.memory_type, node.output.dtype), artifacts

    def _batch(self, kernel: Kernel, call: CallOf, blocks: Sequence[Block], images: Sequence[Held]) -> list[Held]:
        array, node = self._joined(kernel, images), kernel.node
        result, _ = self.kernels.call(kernel, array, blocks, call.site, call.told, call.made, together=True)
        return Held.parts_of(result, node.memory_type, node.output.dtype)

    def _try(self, kernel: Kernel, attempt: Callable[[], T]) -> T | None:
        """Return what an attempt gives; `None` where the device is full, after what libraries keep was released."""
        self.kernels.memory_of(kernel)
        try:
            return attempt()
        except Exception as error:
            if not self.kernels.is_full(kernel, error):
                raise
            self._why = one_line(error)
        # Here, the error and the arrays of its frames are gone.
        self.kernels.release()
        return None

    # --- Images ---------------------------------------------------------------------------------------------

    def _block(self, kernel: Kernel, call: CallOf, block: Block, planes: Iterator[Held]) -> Held:
        """Put the planes of a block together: where they lie if that is the kernel's place, else on the host."""
        node = kernel.node
        if node.plane_wise:
            return next(planes)
        if node.memory_type != HOST:
            there: deque[Held] = deque()
            for held in planes:
                there.append(held)
                if not self.moves.is_at(held, node.memory_type, node.device):
                    break
            else:
                stacked = self._stacked_there(kernel, call, block, there)
                if stacked is not None:
                    return stacked
            planes = _emptied(there, planes)
        return on_host(self._filled(kernel, call, block, planes))

    def _stacked_there(self, kernel: Kernel, call: CallOf, block: Block, there: deque[Held]) -> Held | None:
        """Return planes that are at a kernel's place as one array; `None` where its device is full."""
        node = kernel.node
        shape = (*block.shape, *call.taken)

        def stacked() -> Any:
            array = whole_of(there) if block.is_whole else None
            if array is None:
                arrays = iter(there)
                places = [next(arrays).array if is_there else None for is_there in block.present]
                array = self.kernels.memory_of(kernel).stack(places)
            return array if array.shape == shape else array.reshape(shape)

        array = self._try(kernel, stacked)
        return None if array is None else Held(array, node.memory_type, node.input.dtype)

    def _filled(self, kernel: Kernel, call: CallOf, block: Block, planes: Iterator[Held]) -> npt.NDArray[Any]:
        """Return a stack that is filled plane by plane; one that is absent is 0, and the kernel is told."""
        stack: npt.NDArray[Any] = np.empty((prod(block.shape), *call.taken), kernel.node.input.dtype)
        for place, is_there in enumerate(block.present):
            # No name keeps the plane: it is gone before the next one is asked for.
            stack[place] = self.moves.on_host(next(planes)) if is_there else 0
        return stack.reshape(*block.shape, *call.taken)

    def _joined(self, kernel: Kernel, images: Sequence[Held]) -> Any:
        """Return the images of several blocks as one array at a kernel's place, along a new axis in front."""
        node = kernel.node
        if all(self.moves.is_at(image, node.memory_type, node.device) for image in images):
            array = whole_of(images)
            return self.kernels.memory_of(kernel).stack([i.array for i in images]) if array is None else array
        shape = self.moves.on_host(images[0]).shape
        joined: npt.NDArray[Any] = np.empty((len(images), *shape), node.input.dtype)
        for place, image in enumerate(images):
            joined[place] = self.moves.on_host(image)
        return self.moves.at(on_host(joined), node.memory_type, node.device)


def _emptied(there: deque[Held], planes: Iterator[Held]) -> Iterator[Held]:
    while there:
        yield there.popleft()
    yield from planes
