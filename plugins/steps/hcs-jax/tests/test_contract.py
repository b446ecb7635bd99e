"""The plugin, its memory type, routes and kernels pass their contracts; kernels agree with those of hcs-numpy."""

from types import MappingProxyType

import hcs_numpy.plugin
import hcs_torch.plugin
from hcs_core.testing import ConverterContract, KernelContract, MemoryTypeContract, PluginContract, require_library
from hcs_jax import plugin

jax = require_library("jax")


class TestPlugin(PluginContract):
    module = "hcs_jax.plugin"
    name = "jax"


class TestMemoryTypes(MemoryTypeContract):
    memory_types = tuple(plugin.hcs_memory_types())
    by_default = staticmethod(lambda: jax.numpy.zeros(2))


class TestConverters(ConverterContract):
    converters = tuple(plugin.hcs_converters())
    memory_types = (*plugin.hcs_memory_types(), *hcs_torch.plugin.hcs_memory_types())


class TestKernels(KernelContract):
    kernels = tuple(plugin.hcs_kernels())
    memory_types = tuple(plugin.hcs_memory_types())
    arguments = MappingProxyType(
        {"gaussian_blur": {"sigma": 1.5}, "white_tophat": {"radius": 3}, "composite": {"weights": (1, 2.5, 0)}}
    )
    reference_kernels = tuple(hcs_numpy.plugin.hcs_kernels())
    # Each of them is compiled for.
    shapes = ((17, 23), (1, 1), (8, 1))
