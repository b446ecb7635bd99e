"""That CuPy has what this distribution calls, under these names and with these parameters; no GPU is needed."""

import inspect

import pytest

from hcs_core.testing import require_library

cupy = require_library("cupy")
ndimage = pytest.importorskip("cupyx.scipy.ndimage")

CALLED = {
    "gaussian_filter": (ndimage.gaussian_filter, ("input", "sigma"), {"output", "mode", "truncate"}),
    "bincount": (cupy.bincount, ("x",), {"minlength"}),
    "asarray": (cupy.asarray, ("a",), set()),
    "array": (cupy.array, (), set()),
    "ascontiguousarray": (cupy.ascontiguousarray, ("a",), set()),
}
ATTRIBUTES = (
    "from_dlpack", "ndarray", "get_default_memory_pool", "get_default_pinned_memory_pool",
    "cuda.is_available", "cuda.Device", "cuda.runtime.getDeviceCount", "cuda.runtime.memGetInfo",
    "cuda.memory.OutOfMemoryError", "cuda.MemoryPool.free_bytes", "cuda.MemoryPool.free_all_blocks",
    "cuda.PinnedMemoryPool.free_all_blocks", "ndarray.get", "ndarray.device",
)  # fmt: skip


@pytest.mark.parametrize("name", CALLED)
def test_it_takes_the_parameters_that_it_is_given(name):
    function, positional, keywords = CALLED[name]
    parameters = inspect.signature(function).parameters
    assert tuple(parameters)[: len(positional)] == positional
    assert keywords <= parameters.keys()


@pytest.mark.parametrize("path", ATTRIBUTES)
def test_it_is_there(path):
    found = cupy
    for name in path.split("."):
        found = getattr(found, name)


def test_borders_are_mirrored_as_this_distribution_asks_for():
    assert "mirror" in inspect.getdoc(ndimage.gaussian_filter)
