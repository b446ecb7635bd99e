"""The plugin and every kernel of it pass the contracts of hcs_core; kernels agree with those of hcs-numpy."""

from types import MappingProxyType

from hcs_core.testing import KernelContract, MemoryTypeContract, PluginContract, require_library
from hcs_numpy import plugin as numpys
from hcs_operations.signatures import FOCUS_MEASURES
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
    reference_kernels = tuple(numpys.hcs_kernels())
    arguments = MappingProxyType(
        {
            "percentile_normalize": [{}, {"low": 0.0, "high": 100.0}, {"limits": "plate", "levels": (3.0, 70.5)}],
            "rescale_intensity": [{}, {"low": 3.0, "high": 77.0, "out_low": 200.0, "out_high": 5.0}],
            "flat_field": [{}, {"dark": 20.0}],
            "gaussian_blur": [{"sigma": 1.5}, {"sigma": 20.0}],
            "unsharp_mask": [{}, {"radius": 4.0, "amount": 7.0}],
            "white_tophat": [{"radius": 3}, {"radius": 40}],
            "bin": [{}, {"factor": 3, "method": "sum"}, {"factor": 4, "method": "max"}],
            "best_focus_projection": [{"measure": measure} for measure in FOCUS_MEASURES],
            "composite": [{}, {"weights": (1, 2.5, 0)}],
        }
    )
