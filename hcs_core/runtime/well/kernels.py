"""Calling kernels: loaded once, given their memory type, and checked against what the plan says they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from hcs_core.arrays.conversion import Converter
from hcs_core.arrays.memory_type import CPU, HasDevices, MemoryType, dtype_name
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.order.presence import Block, made_shape
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import GivenImage, ParameterValue
from hcs_core.plugins.signature import DTYPE, PRESENT
from hcs_core.runtime.well.call_faults import fault_of, what_it_raised, what_it_returned
from hcs_core.runtime.well.made_artifacts import checked, taken_apart


class Kernels:
    """The kernels of a plan's nodes, and the memory types that they work in."""

    def __init__(self, plan: Plan, plugins: PluginManager) -> None:
        self._plan = plan
        self._converter = Converter(plugins)
        self._functions = tuple(None if node.stitch else _function(node, plugins) for node in plan.nodes)
        self._parameters = tuple(_parameters(node, plugins) for node in plan.nodes)

    def convert(self, array: Any, source: str, destination: str, dtype: str, device: str = CPU) -> Any:
        """Return an image of a dtype in another memory type, on a device."""
        return self._converter.convert(array, source, destination, dtype, device)

    def call(
        self, index: int, image: Any, block: Block, site: int, told: Mapping[str, Any], frame: tuple[int, int]
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return what a node's kernel makes of the planes of a block: the image, or `None`, and the artifacts.

        `told` are its keywords beside the parameters: the artifacts that it takes, and its well's context; and
        parameters that were estimated. `frame` is the (y, x) that its planes are to have.

        Raises
        ------
        WellFaultError
            A plane is absent and the kernel has no mask for it; it raised, wrote into its image, or returned
            something else than its signature says.
        """
        node = self._plan.nodes[index]
        present = {PRESENT: np.array(block.present).reshape(block.shape)} if node.masks else {}
        if not block.is_whole and not node.masks:
            raise fault_of(node, site, "it cannot do with a channel or a site that is absent")
        function = self._functions[index]
        if function is None:
            raise fault_of(node, site, "a stitcher does it, and no kernel")
        memory = self._converter.memory_type(node.memory_type)
        scope = memory.scope(node.device, node.input.dtype) if isinstance(memory, HasDevices) else nullcontext()
        try:
            keywords = self._parameters[index] | {name: _read_only(value) for name, value in told.items()}
            with scope:
                result = function(_read_only(image), **keywords, **present)
        # A kernel may raise anything; it becomes the well's fault, with step and function.
        except Exception as error:
            raise fault_of(node, site, what_it_raised(error)) from error
        try:
            image, values = taken_apart(node, result)
            made = tuple(
                checked(artifact, value, memory.to_host) for artifact, value in zip(node.makes, values, strict=True)
            )
        except ValueError as error:
            raise fault_of(node, site, str(error)) from error
        if not node.passes_on:
            owned = memory.owns(image)
            if owned and node.function is not None:
                image = _in_its_dtype(memory, image, node)
            wanted = (*made_shape(node, block), *frame)
            wrong = what_it_returned(image, node, wanted, owned=owned, held=memory.holds(node.output.dtype))
            if wrong is not None:
                raise fault_of(node, site, wrong)
        return image, made


def _function(node: NodePlan, plugins: PluginManager) -> Callable[..., Any]:
    if node.function is not None:
        return node.function
    function: Callable[..., Any] = plugins.kernels.load(node.kernel)
    return function


def _given(value: ParameterValue) -> Any:
    # What was sent to a worker can be written to there, whatever it was before.
    return _read_only(value.pixels) if isinstance(value, GivenImage) else value


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


def _parameters(node: NodePlan, plugins: PluginManager) -> dict[str, Any]:
    """Return what a function is told in each of its calls: its parameters, and its image's dtype if it takes that."""
    given = {name: _given(value) for name, value in node.parameters}
    if node.stitch is None and node.kernel and plugins.kernels.get(node.kernel).takes_dtype:
        given[DTYPE] = node.input.dtype
    return given


def _read_only(array: Any) -> Any:
    """Return an array as one that cannot be written to, where its library knows such: others may still read it.

    It is a view, so that a kernel may keep it, give it back, or take another shape of it.
    """
    if not isinstance(array, np.ndarray):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
