"""Calling kernels: loaded once, given their memory type, and checked against what the plan says they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.arrays.conversion import Converter
from hcs_core.arrays.device_names import has_own_memory
from hcs_core.arrays.memory_type import CPU, HOST, HasDevices, MemoryType, dtype_name
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.order.presence import Block, made_shape
from hcs_core.compiler.plan import Plan
from hcs_core.errors import PluginError
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import GivenImage
from hcs_core.plugins.signature import DTYPE, PRESENT
from hcs_core.runtime.well.call_faults import fault_of, what_it_raised, what_it_returned, what_it_wrote_into
from hcs_core.runtime.well.given_arrays import GivenArrays, read_only
from hcs_core.runtime.well.lent_arrays import LentArrays
from hcs_core.runtime.well.made_artifacts import checked, taken_apart
from hcs_core.runtime.well.nonfinite import checking_nodes, refuse_nonfinite, what_no_integer_is


@attrs.frozen(kw_only=True, eq=False)
class Kernel:
    """What computes a node: `node` says in which memory type and on which device.

    `function` is `None` where a stitcher does it; `parameters` are those that stay the same, as the host has them.
    `checks` says that its image is looked at for NaN and infinities before.
    """

    index: int
    node: NodePlan
    function: Callable[..., Any] | None
    parameters: Mapping[str, Any]
    checks: bool = False

    @property
    def name(self) -> str:
        """What is said of it: the kernel, or the user's function."""
        return self.node.kernel or self.node.operation


class Kernels:
    """The kernels of a plan's nodes, and the memory types that they work in.

    A runner of wells has its own. `converter` counts what was moved between memory types.
    """

    def __init__(self, plan: Plan, plugins: PluginManager) -> None:
        self._plugins = plugins
        self.converter = Converter(plugins)
        self._given = GivenArrays(self.converter)
        self._checking = checking_nodes(plan, plugins)
        self._planned = tuple(self._kernel(index, node) for index, node in enumerate(plan.nodes))
        self._fallbacks: dict[int, Kernel] = {}
        # The devices that were worked on: no other library need be there.
        self._used: set[tuple[str, str]] = set()

    def _kernel(self, index: int, node: NodePlan) -> Kernel:
        parameters: dict[str, Any] = {
            name: value.pixels if isinstance(value, GivenImage) else value for name, value in node.parameters
        }
        if node.registered_kernel and self._plugins.kernels.get(node.registered_kernel).takes_dtype:
            parameters[DTYPE] = node.input.dtype
        function = None if node.stitch else _function(node, self._plugins)
        return Kernel(
            index=index, node=node, function=function, parameters=parameters, checks=index in self._checking
        )

    def planned(self, index: int) -> Kernel:
        """Return the kernel that the plan names for a node."""
        return self._planned[index]

    def fallback(self, index: int) -> Kernel | None:
        """Return what computes what is too large for a node's device; `None` where nothing may."""
        node = self._planned[index].node
        if not node.fallback:
            return None
        if index not in self._fallbacks:
            other = attrs.evolve(node, device=CPU)
            if node.fallback != CPU:
                spec = self._plugins.kernels.get(node.fallback)
                other = attrs.evolve(
                    other, kernel=spec.name, version=spec.version, memory_type=spec.memory_type, function=None
                )
            self._fallbacks[index] = self._kernel(index, other)
        return self._fallbacks[index]

    def is_full(self, kernel: Kernel, error: BaseException) -> bool:
        """Whether an error says that the memory of the device on which a kernel works is full."""
        memory = self.converter.memory_type(kernel.node.memory_type)
        return self.is_on_device(kernel) and isinstance(memory, HasDevices) and memory.is_out_of_memory(error)

    def is_on_device(self, kernel: Kernel) -> bool:
        """Whether a kernel works on a device with a memory of its own."""
        return kernel.node.memory_type != HOST and has_own_memory(kernel.node.device)

    def memory_of(self, kernel: Kernel) -> MemoryType:
        """Return the memory type of a kernel that is about to work; what it leaves on a device is released later."""
        if self.is_on_device(kernel):
            self._used.add((kernel.node.memory_type, kernel.node.device))
        return self.converter.memory_type(kernel.node.memory_type)

    def release(self) -> None:
        """Give back what libraries keep on the devices of the plan's nodes, though no array is in it."""
        for name, device in self._used:
            memory = self.converter.memory_type(name)
            if isinstance(memory, HasDevices):
                memory.release(device)

    def close(self) -> None:
        """Leave nothing on a device."""
        self._given.forget()
        self.release()

    def call(
        self,
        kernel: Kernel,
        image: Any,
        blocks: Sequence[Block],
        site: int,
        told: Mapping[str, Any],
        frame: tuple[int, int],
        *,
        together: bool = False,
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return what a kernel makes of the planes of a block: the image, or `None`, and the artifacts.

        `image` is in the kernel's memory type, on its device. With `together` it is the images of several blocks
        along one more axis in front, and so is the result. `told` are the keywords beside the parameters, as the host
        has them: the artifacts that it takes, and its well's context; and parameters that were estimated. `frame` is
        the (y, x) that its planes are to have.

        Raises
        ------
        WellFaultError
            A plane is absent and the kernel has no mask for it; it has pixels that are NaN or infinite, which it
            refuses; it raised, wrote into its image, or returned something else than its signature says.

        Notes
        -----
        An error of its library that says that the device's memory is full goes through, see `is_full`.
        """
        node, block = kernel.node, blocks[0]
        present = {PRESENT: np.array(block.present).reshape(block.shape)} if node.masks else {}
        if not block.is_whole and not node.masks:
            raise fault_of(node, site, "it cannot do with a channel or a site that is absent")
        memory = self.memory_of(kernel)
        if kernel.checks:
            refuse_nonfinite(node, memory, image, blocks if together else (), site)
        result = self._result(kernel, memory, image, site, self._keywords(kernel, block.cells[0][0], told) | present)
        try:
            image, values = taken_apart(node, result)
            to_host = partial(self._to_host, node.memory_type)
            made = tuple(
                checked(artifact, value, to_host) for artifact, value in zip(node.makes, values, strict=True)
            )
        except ValueError as error:
            raise fault_of(node, site, str(error)) from error
        if not node.passes_on:
            owner = self._owner(image, node.memory_type)
            if owner == node.memory_type and node.function is not None:
                wrong = what_no_integer_is(node, memory, image)
                if wrong is not None:
                    raise fault_of(node, site, wrong)
                image = _in_its_dtype(memory, image, node)
            wanted = (*((len(blocks),) if together else ()), *made_shape(node, block), *frame)
            wrong = what_it_returned(image, node, wanted, owner=owner, held=memory.holds(node.output.dtype))
            if wrong is not None:
                raise fault_of(node, site, wrong)
        return image, made

    def _result(self, kernel: Kernel, memory: MemoryType, image: Any, site: int, keywords: Mapping[str, Any]) -> Any:
        """Return what a kernel returns; a fault where it raises or writes into what it gets."""
        node = kernel.node
        if kernel.function is None:
            raise fault_of(node, site, "a stitcher does it, and no kernel")
        scope = memory.scope(node.device, node.input.dtype) if isinstance(memory, HasDevices) else nullcontext()
        try:
            lent = LentArrays(node, memory, image, keywords)
            with scope:
                result = kernel.function(read_only(lent.image), **lent.keywords)
            wrong, cause = what_it_wrote_into(lent.written(), node), None
        # A kernel may raise anything; it becomes the well's fault, with step and function.
        except Exception as error:
            if self.is_full(kernel, error):
                raise
            wrong, cause = what_it_raised(error), error
        if wrong is None:
            return result
        # What stays in its place between wells may not be what it was.
        self._given.forget()
        raise fault_of(node, site, wrong) from cause

    def _owner(self, array: Any, expected: str) -> str:
        """Return the memory type whose array it is, the expected one first; empty: of none that is registered."""
        for name in (expected, *self._plugins.memory_types.names()):
            # One that cannot be made owns nothing.
            with suppress(PluginError):
                if self.converter.memory_type(name).owns(array):
                    return name
        return ""

    def _to_host(self, memory_type: str, image: Any) -> npt.NDArray[Any]:
        """Return an image that a function made beside its own; its dtype is no image's of the plan."""
        if memory_type != HOST:
            self.converter.counts[f"{memory_type}->{HOST}"] += 1
        return self.converter.memory_type(memory_type).to_host(image)

    def _keywords(self, kernel: Kernel, channel: int, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a kernel is told: parameters are the same for all channels, what was estimated is not."""
        index, node = kernel.index, kernel.node
        keywords = {name: self._given.at(index, -1, node, name, value) for name, value in kernel.parameters.items()}
        for name, value in told.items():
            keywords[name] = self._given.at(index, channel, node, name, value)
        return keywords


def _function(node: NodePlan, plugins: PluginManager) -> Callable[..., Any]:
    if node.function is not None:
        return node.function
    function: Callable[..., Any] = plugins.kernels.load(node.kernel)
    return function


def _in_its_dtype(memory: MemoryType, image: Any, node: NodePlan) -> Any:
    """Return what a function of the user's own returned in its dtype, where it computed in a wider one.

    Nearly all arithmetic with a number gives floats, and what is held in a wider dtype can leave its limits; a kernel
    of a plugin has to care for its dtype itself.
    """
    dtype = node.output.dtype
    name = dtype_name(image)
    if not name.startswith("float") and (name != memory.holds(dtype) or name == dtype):
        return image
    return memory.cast(image, dtype)
