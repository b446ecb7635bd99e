"""The kernels that call CuPy's own functions, run with the same calls of numpy and scipy, against hcs-numpy's."""

from types import MappingProxyType

import numpy as np
import pytest

import hcs_numpy.plugin
from hcs_core.testing import KernelContract
from hcs_core.testing.contracts.targets import imported
from hcs_cupy import plugin

pytestmark = pytest.mark.usefixtures("_numpy_for_cupy")
OWN = tuple(spec for spec in plugin.hcs_kernels() if spec.operation in plugin.TARGETS)


class TestOwnKernels(KernelContract):
    # Without a memory type, kernels are given numpy's arrays.
    kernels = OWN
    arguments = MappingProxyType({"gaussian_blur": {"sigma": 1.5}, "unsharp_mask": {"radius": 2.0, "amount": 3.0}})
    reference_kernels = tuple(hcs_numpy.plugin.hcs_kernels())


@pytest.mark.parametrize("spec", OWN, ids=lambda spec: spec.operation)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_several_planes_at_once_are_what_each_is_alone(spec, dtype):
    kernel = imported(spec.target)
    planes = (np.random.default_rng(3).random((3, 21, 30)) * 200).astype(dtype)
    np.testing.assert_array_equal(
        kernel(planes, dtype=dtype), np.stack([kernel(plane, dtype=dtype) for plane in planes])
    )
