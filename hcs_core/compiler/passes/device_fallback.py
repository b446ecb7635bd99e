"""What computes a call for which the memory of its device is too small, even for one image at a time."""

from __future__ import annotations

import attrs

from hcs_core.arrays.device_names import has_own_memory
from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.machine_devices import Devices
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.plan import Plan
from hcs_core.plugins.manager import PluginManager


def with_fallbacks(plan: Plan, plugins: PluginManager) -> Plan:
    """Return a plan whose nodes have devices with the `NodePlan.fallback` of each that has a memory of its own."""
    devices = Devices(plugins)
    nodes = tuple(attrs.evolve(node, fallback=_fallback(node, plugins, devices)) for node in plan.nodes)
    return attrs.evolve(plan, nodes=nodes)


def _fallback(node: NodePlan, plugins: PluginManager, devices: Devices) -> str:
    """Return what a node falls back to; empty: nothing.

    The same kernel on the CPU of its memory type, where that has one: it gives the same pixels. Else the operation's
    kernel on numpy's arrays. A step that says where it works is taken at its word.
    """
    forced = node.asked_device is not None or (node.function is None and node.asked_memory_type is not None)
    if forced or not has_own_memory(node.device):
        return ""
    if CPU in devices.of(node.memory_type):
        return CPU
    found = [spec.name for spec in plugins.kernels if (spec.operation, spec.memory_type) == (node.operation, HOST)]
    return found[0] if found and node.function is None else ""
