"""The plugin passes its contract; on a machine with a GPU so do its memory type, its routes and its kernels."""

from types import MappingProxyType

import pytest

import hcs_numpy.plugin
import hcs_torch.plugin
from hcs_core.testing import ConverterContract, KernelContract, MemoryTypeContract, PluginContract
from hcs_cupy import plugin
from hcs_cupy.memory import CupyMemory


def no_device() -> str:
    """Return why nothing can be computed here; empty where it can."""
    try:
        return "" if CupyMemory().devices() else "cupy finds no device on this machine"
    except ImportError as error:
        return f"cupy cannot be imported: {error}"


WHY_NOT = no_device()


class TestPlugin(PluginContract):
    module = "hcs_cupy.plugin"
    name = "cupy"


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
class TestMemoryTypes(MemoryTypeContract):
    memory_types = () if WHY_NOT else tuple(plugin.hcs_memory_types())


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
class TestConverters(ConverterContract):
    converters = () if WHY_NOT else tuple(plugin.hcs_converters())
    memory_types = () if WHY_NOT else (*plugin.hcs_memory_types(), *hcs_torch.plugin.hcs_memory_types())


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
class TestKernels(KernelContract):
    kernels = () if WHY_NOT else tuple(plugin.hcs_kernels())
    memory_types = tuple(plugin.hcs_memory_types())
    arguments = MappingProxyType(
        {"gaussian_blur": {"sigma": 1.5}, "white_tophat": {"radius": 3}, "composite": {"weights": (1, 2.5, 0)}}
    )
    reference_kernels = tuple(hcs_numpy.plugin.hcs_kernels())
