"""The plugin and every kernel of it pass the contracts of hcs_core; kernels agree with those of hcs-numpy."""

from types import MappingProxyType

from hcs_core.testing import KernelContract, MemoryTypeContract, PluginContract, require_library
from hcs_core.testing.contracts.targets import imported
from hcs_numpy.plugin import TARGETS
from hcs_torch import plugin

torch = require_library("torch")


class TestPlugin(PluginContract):
    module = "hcs_torch.plugin"
    name = "torch"


class TestMemoryTypes(MemoryTypeContract):
    memory_types = tuple(plugin.hcs_memory_types())
    by_default = staticmethod(lambda: torch.zeros(2))


class TestKernels(KernelContract):
    kernels = tuple(plugin.hcs_kernels())
    memory_types = tuple(plugin.hcs_memory_types())
    arguments = MappingProxyType(
        {"gaussian_blur": {"sigma": 1.5}, "white_tophat": {"radius": 3}, "composite": {"weights": (1, 2.5, 0)}}
    )
    references = MappingProxyType({name: imported(target) for name, target in TARGETS.items()})
    tolerances = MappingProxyType({spec.operation: spec.signature.tolerance for spec in plugin.hcs_kernels()})
