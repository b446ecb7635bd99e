"""The kernels that a node may be computed by: of a memory type that can be used, as its step and a device ask."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.choice.costs import Costs
from hcs_core.compiler.held_dtypes import unheld_by
from hcs_core.compiler.machine_devices import Devices
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.problem import Problem
from hcs_core.plugins.libraries import how_to_get, usable
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.specs import KernelSpec


@attrs.frozen(kw_only=True)
class Candidates:
    """The kernels of a node that may be chosen, and why there is no other choice where there is none."""

    kernels: tuple[KernelSpec, ...]
    why: str = ""


class CandidateFinder:
    """Finds the kernels of nodes; each library is looked for once, and none is imported unless a device is asked for.

    Parameters
    ----------
    plugins
        What is registered.
    device
        The device that the configuration asks for, or `None`.
    costs
        What was measured.
    """

    def __init__(self, plugins: PluginManager, device: str | None, costs: Costs) -> None:
        self._plugins = plugins
        self._device = device
        self._unmeasured = "" if costs else costs.notice or "no measurements"
        self._devices = Devices(plugins)
        self._there: dict[str, bool] = {}

    def of(self, node: NodePlan) -> Candidates | Problem:
        """Return the kernels that a node may be computed by, or why there is none."""
        every = [spec for spec in self._plugins.kernels if spec.operation == node.operation]
        asked = node.asked_memory_type
        if asked is not None:
            return self._asked(node, asked, every)
        wanted = node.asked_device or self._device
        on_host = tuple(spec for spec in every if spec.memory_type == HOST)
        if on_host and wanted is None and self._unmeasured:
            # Nobody has to look which other libraries there are.
            return Candidates(kernels=on_host, why=f"{self._unmeasured}: {HOST}" if every[1:] else _only(every))
        there = [spec for spec in every if self._usable(spec.memory_type)]
        if not there:
            return _none_usable(node, every, self._plugins)
        # Where none of them can hold it, that is a problem of its own.
        there = [spec for spec in there if not unheld_by(spec.memory_type, node, self._plugins)] or there
        if len(there) == 1:
            return Candidates(kernels=tuple(there), why=_only(every))
        if wanted is None:
            return Candidates(kernels=tuple(there))
        return self._on_device(there, wanted)

    def problem_of_function(self, node: NodePlan) -> Problem | None:
        """Return why a function of the user's own cannot get its arrays, or `None`."""
        name = str(node.asked_memory_type)
        if name not in self._plugins.memory_types:
            return _unknown(node, name, self._plugins, "Or declare the function for one that is there.")
        return None if self._usable(name) else _no_library(node, name, self._plugins)

    def _asked(self, node: NodePlan, asked: str, every: Sequence[KernelSpec]) -> Candidates | Problem:
        """Return the kernel in the memory type that a step asks for."""
        there = ", ".join(spec.memory_type for spec in every)
        if asked not in self._plugins.memory_types:
            return _unknown(node, asked, self._plugins, f"There are kernels in {there}.")
        found = tuple(spec for spec in every if spec.memory_type == asked)
        if not found:
            return Problem(
                step=node.step,
                function=node.operation,
                parameter="memory",
                message=f"there is no kernel of it in {asked}.",
                hint=f"There are kernels in {there}.",
                found=asked,
                expected=there,
            )
        if not self._usable(asked):
            return _no_library(node, asked, self._plugins)
        return Candidates(kernels=found, why="asked for by the step")

    def _on_device(self, there: Sequence[KernelSpec], wanted: str) -> Candidates:
        """Return those on a device; where none has it, all of them: a step that cannot go there is no mistake.

        For the CPU no library is asked: numpy's kernel is there, and is the one for it.
        """
        if wanted == CPU and any(spec.memory_type == HOST for spec in there):
            on_host = tuple(spec for spec in there if spec.memory_type == HOST)
            return Candidates(kernels=on_host, why=f"asked to work on {wanted}")
        fitting = tuple(spec for spec in there if self._devices.has(spec.memory_type, wanted))
        if len(fitting) == 1:
            return Candidates(kernels=fitting, why=f"the only one on {wanted}, which is asked for")
        return Candidates(kernels=fitting or tuple(there))

    def _usable(self, memory_type: str) -> bool:
        if memory_type not in self._there:
            self._there[memory_type] = usable(self._plugins.memory_types, memory_type)
        return self._there[memory_type]


def _only(every: Sequence[KernelSpec]) -> str:
    return "the only kernel" if len(every) == 1 else "the only kernel whose library is here"


def _unknown(node: NodePlan, name: str, plugins: PluginManager, else_: str) -> Problem:
    return Problem(
        step=node.step,
        function=node.operation,
        parameter="memory",
        message=plugins.memory_types.unknown(name),
        hint=f"{how_to_get(plugins.memory_types, name)} {else_}",
        found=name,
        expected=", ".join(plugins.memory_types.names()),
    )


def _no_library(node: NodePlan, name: str, plugins: PluginManager) -> Problem:
    library = plugins.memory_types.get(name).library
    return Problem(
        step=node.step,
        function=node.operation,
        parameter="memory",
        message=f"the memory type {name!r} cannot be used: its library {library!r} is not installed.",
        hint=how_to_get(plugins.memory_types, name),
        found=f"no {library}",
        expected=library,
    )


def _none_usable(node: NodePlan, every: Sequence[KernelSpec], plugins: PluginManager) -> Problem:
    there = ", ".join(spec.memory_type for spec in every)
    ways = " ".join(f"For {spec.memory_type}: {how_to_get(plugins.memory_types, spec.memory_type)}" for spec in every)
    return Problem(
        step=node.step,
        function=node.operation,
        parameter="memory",
        message=f"its kernels are in {there}, and that cannot be used here.",
        hint=ways,
        found="no kernel that can be used",
        expected=there,
    )
