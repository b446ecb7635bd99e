"""Calling kernels: loaded once, given their memory type, and checked against what the plan says they return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hcs_core.arrays.conversion import Converter
from hcs_core.compiler.memory_pass import HOST_LIBRARY
from hcs_core.compiler.plan import NodePlan, Plan
from hcs_core.compiler.presence import Block, made_shape
from hcs_core.errors import UnknownNameError, one_line
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import GivenImage, ParameterValue
from hcs_core.plugins.signature import PRESENT
from hcs_core.runtime.task import Fault, WellFaultError


class Kernels:
    """The kernels of a plan's nodes, and the memory types that they work in."""

    def __init__(self, plan: Plan, plugins: PluginManager) -> None:
        self._plan = plan
        self._converter = Converter(plugins)
        self._functions = tuple(None if node.stitch else _function(node, plugins) for node in plan.nodes)
        self._parameters = tuple({name: _given(value) for name, value in node.parameters} for node in plan.nodes)
        self.host = host_memory_type(plugins) if plan.nodes else ""

    def convert(self, array: Any, source: str, destination: str) -> Any:
        """Return an array of one memory type in another."""
        return self._converter.convert(array, source, destination)

    def call(self, index: int, image: Any, block: Block, site: int, frame: tuple[int, int]) -> Any:
        """Return what a node's kernel makes of the planes of a block: planes of (y, x) `frame`.

        Raises
        ------
        WellFaultError
            A plane is absent and the kernel has no mask for it; it raised, or returned something else than its
            signature says.
        """
        node = self._plan.nodes[index]
        told = {PRESENT: np.array(block.present).reshape(block.shape)} if node.masks else {}
        if not block.is_whole and not node.masks:
            raise _fault(node, site, "it cannot do with a channel or a site that is absent")
        function = self._functions[index]
        if function is None:
            raise _fault(node, site, "a stitcher does it, and no kernel")
        try:
            result = function(image, **self._parameters[index], **told)
        # A kernel may raise anything; it becomes the well's fault, with step and function.
        except Exception as error:
            raise _fault(node, site, f"it raised {one_line(error)}") from error
        wanted = (*made_shape(node, block), *frame)
        shape = tuple(getattr(result, "shape", ()))
        if shape != wanted:
            raise _fault(node, site, f"it returned the shape {shape}; its signature ({node.out}) means {wanted}")
        dtype = str(getattr(result, "dtype", type(result).__name__)).rpartition(".")[2]
        if dtype != node.output.dtype:
            raise _fault(node, site, f"it returned {dtype}; its signature means {node.output.dtype}")
        return result


def host_memory_type(plugins: PluginManager) -> str:
    """Return the memory type in which planes arrive from readers and leave for stores.

    Raises
    ------
    UnknownNameError
        None is installed.
    """
    for spec in plugins.memory_types:
        if spec.library == HOST_LIBRARY:
            return spec.name
    raise UnknownNameError(
        "no memory type for numpy arrays is installed: pip install 'hcs-engine[standard]' brings one."
    )


def _function(node: NodePlan, plugins: PluginManager) -> Callable[..., Any]:
    if node.function is not None:
        return node.function
    function: Callable[..., Any] = plugins.kernels.load(node.kernel)
    return function


def _given(value: ParameterValue) -> Any:
    return value.pixels if isinstance(value, GivenImage) else value


def _fault(node: NodePlan, site: int, text: str) -> WellFaultError:
    error = f"step {node.step!r}, function {node.operation!r}, site {site}: {text}."
    return WellFaultError(Fault(error=error, site=site, step=node.step, function=node.operation))
