"""The core's own memory type, and the fakes, keep the contract of all."""

from types import MappingProxyType

import numpy as np
import pytest

from hcs_core import MemoryTypeSpec
from hcs_core.arrays.host_memory import HostMemory
from hcs_core.plugins import builtin
from hcs_core.testing import FakeDeviceMemory, MemoryTypeContract, fakes


class TestHostMemory(MemoryTypeContract):
    memory_types = tuple(builtin.hcs_memory_types())


class TestFakes(MemoryTypeContract):
    memory_types = tuple(fakes.hcs_memory_types())


class LikeTorch(FakeDeviceMemory):
    """Nothing but the CPU, and uint16 and uint32 in wider dtypes."""

    there = ("cpu",)
    widened = MappingProxyType({"uint16": "int32", "uint32": "int64", "uint64": ""})


class LikeJax(FakeDeviceMemory):
    """64 bits where a scope says so."""

    there = ("cuda:0", "cpu")
    narrows = True


class TestFakesOfOtherKinds(MemoryTypeContract):
    memory_types = tuple(
        MemoryTypeSpec(name=cls.__name__.lower(), target=f"{__name__}:{cls.__name__}", library="hcs_core")
        for cls in (LikeTorch, LikeJax)
    )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numpy_counts_what_is_not_finite_whatever_its_sum(dtype):
    """A sum may be infinite though no value is, and infinities may cancel."""
    largest = np.finfo(dtype).max
    arrays = [[largest] * 4, [np.inf, -np.inf], [largest, largest, np.nan], [], [np.inf, 1], [1, 2]]
    assert [HostMemory().nonfinite(np.array(values, dtype)) for values in arrays] == [0, 2, 1, 0, 1, 0]
    assert HostMemory().nonfinite(np.array([largest, largest], dtype)[::-1]) == 0
