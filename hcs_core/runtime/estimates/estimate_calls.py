"""Calling what an operation brings for its estimates: loaded once, and checked against what it says it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core.arrays.host_memory import HostMemory
from hcs_core.compiler.node_plan import EstimatePlan
from hcs_core.compiler.plan import Plan
from hcs_core.errors import one_line
from hcs_core.plugins.estimate import Estimated
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.parameter import GivenImage
from hcs_core.runtime.well.call_faults import fault_of
from hcs_core.runtime.well.nonfinite import checking_nodes, refuse_nonfinite


class EstimateCalls:
    """The functions of a plan's estimates."""

    def __init__(self, plan: Plan, plugins: PluginManager) -> None:
        self._plan = plan
        self._plugins = plugins
        self._functions: dict[tuple[int, str], Callable[..., Any]] = {}
        self._checking = checking_nodes(plan, plugins)
        self._host = HostMemory()

    def collected(
        self, index: int, estimate: EstimatePlan, plane: npt.NDArray[Any], site: int | None = None
    ) -> npt.NDArray[Any]:
        """Return what a plane gives.

        Raises
        ------
        WellFaultError
            Pixels are NaN or infinite, which its operation refuses; the function raised, or returned no array of the
            size that it says.
        """
        if index in self._checking:
            refuse_nonfinite(self._plan.nodes[index], self._host, plane, (), site)
        made = self._call(index, estimate.how.collect, (plane,), self._told(index), site)
        return self._array(index, estimate, made, estimate.how.collect, site)

    def merged(
        self, index: int, estimate: EstimatePlan, one: npt.NDArray[Any], other: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        """Return two arrays as one.

        Raises
        ------
        WellFaultError
            As `collected` does.
        """
        made = self._call(index, estimate.how.merge, (one, other), {})
        return self._array(index, estimate, made, estimate.how.merge)

    def reduced(self, index: int, estimate: EstimatePlan, collected: tuple[npt.NDArray[Any], ...]) -> Estimated:
        """Return the value that arrays make: an image as float32, or a tuple of floats, and what is noted of it.

        Raises
        ------
        WellFaultError
            The function raised, or returned something else than `Estimated` with a value of its parameter's kind.
        """
        node = self._plan.nodes[index]
        made = self._call(index, estimate.how.reduce, (collected, node.input.shape), self._told(index))
        if not isinstance(made, Estimated):
            raise fault_of(
                node, None, f"{estimate.how.reduce} returned {type(made).__name__}, not hcs_core.Estimated"
            )
        value = np.asarray(made.value)
        fits = value.shape == node.input.shape if estimate.is_image else value.ndim == 1
        if not fits or value.dtype.kind not in "fiu" or not np.isfinite(value).all():
            what = f"an image of {node.input.shape}" if estimate.is_image else "a row of numbers"
            raise fault_of(
                node,
                None,
                f"{estimate.how.reduce} returned {value.dtype} of shape {value.shape} for {estimate.parameter}, and "
                f"{what} was expected, all finite",
            )
        if not estimate.is_image:
            return Estimated(value=tuple(float(number) for number in value), notes=made.notes)
        return Estimated(value=np.ascontiguousarray(value, np.float32), notes=made.notes)

    def _told(self, index: int) -> dict[str, Any]:
        told = self._plan.nodes[index].told
        return {name: value.pixels if isinstance(value, GivenImage) else value for name, value in told.items()}

    def _call(
        self, index: int, target: str, arguments: tuple[Any, ...], told: dict[str, Any], site: int | None = None
    ) -> Any:
        node = self._plan.nodes[index]
        if (index, target) not in self._functions:
            self._functions[index, target] = self._plugins.kernels.load_target(node.kernel, target)
        try:
            return self._functions[index, target](*arguments, **told)
        # A plugin's function may raise anything; it becomes a fault with step and function.
        except Exception as error:
            raise fault_of(node, site, f"{target} raised {one_line(error)}") from error

    def _array(
        self, index: int, estimate: EstimatePlan, made: Any, target: str, site: int | None = None
    ) -> npt.NDArray[Any]:
        if isinstance(made, np.ndarray) and made.nbytes <= estimate.how.collected_bytes:
            array: npt.NDArray[Any] = made
            return array
        found = f"{made.nbytes:,} bytes" if isinstance(made, np.ndarray) else type(made).__name__
        raise fault_of(
            self._plan.nodes[index],
            site,
            f"{target} returned {found}, and an array of at most {estimate.how.collected_bytes:,} bytes was expected",
        )
