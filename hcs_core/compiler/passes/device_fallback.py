"""What computes a call for which the memory of a device is too small, even for one image at a time."""

from __future__ import annotations

from hcs_core.arrays.memory_type import CPU, HOST
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.passes.device_choice import Devices
from hcs_core.errors import HcsError
from hcs_core.plugins.manager import PluginManager


def fallback_of(node: NodePlan, plugins: PluginManager, devices: Devices) -> str:
    """Return the `NodePlan.fallback` of a node that has its memory type; empty where there is none.

    The same kernel on the CPU of its memory type, where that has one: it gives the same pixels. Else the operation's
    kernel on numpy's arrays. A step that says where it works is taken at its word.
    """
    forced = node.asked_device is not None or (node.function is None and node.asked_memory_type is not None)
    if forced or node.stitch is not None or node.memory_type in {"", HOST}:
        return ""
    try:
        there = devices.of(node.memory_type)
    except HcsError:  # What cannot be used is the devices pass's business.
        return ""
    if there == (CPU,):
        return ""
    if CPU in there:
        return CPU
    found = [spec.name for spec in plugins.kernels if (spec.operation, spec.memory_type) == (node.operation, HOST)]
    return found[0] if found and node.function is None else ""
