"""Routes by DLPack, on a CPU: what another library's array becomes (on a GPU: test_contract.py)."""

import numpy as np
import pytest

from hcs_core.testing import require_library
from hcs_jax.routes import jax_to_torch, torch_to_jax

jax = require_library("jax")
torch = require_library("torch")

HELD = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")


@pytest.mark.parametrize("dtype", HELD)
def test_a_tensor_keeps_its_dtype_and_content(dtype):
    values = np.array([[0, 1, 100], [7, 2, 1]]).astype(dtype)
    found = torch_to_jax(torch.from_numpy(values))
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(np.asarray(found), values)


@pytest.mark.parametrize(
    "part",
    [np.s_[::2], np.s_[:, 1:], np.s_[:0], np.s_[1], np.s_[..., ::3]],
    ids=["rows", "right", "none", "row", "few"],
)
def test_a_part_of_a_tensor_is_taken_too(part):
    values = np.arange(24, dtype=np.int32).reshape(4, 6)
    np.testing.assert_array_equal(np.asarray(torch_to_jax(torch.from_numpy(values)[part])), values[part])


def test_a_whole_tensor_of_torch_s_own_is_not_copied():
    tensor = torch.arange(1 << 16, dtype=torch.int32).reshape(256, 256)
    assert torch_to_jax(tensor).unsafe_buffer_pointer() == tensor.data_ptr()


@pytest.mark.parametrize("dtype", [*HELD, "uint16", "uint32", "uint64"])
def test_an_array_of_jax_becomes_a_tensor_over_its_memory(dtype):
    with jax.enable_x64(True):
        array = jax.device_put(np.array([[0, 1], [100, 2]]).astype(dtype))
    tensor = jax_to_torch(array)
    assert str(tensor.dtype) == f"torch.{dtype}"
    assert tensor.data_ptr() == array.unsafe_buffer_pointer()
    np.testing.assert_array_equal(tensor.numpy(), np.asarray(array))
