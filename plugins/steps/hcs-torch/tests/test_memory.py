"""`TorchMemory`: what it shares, widens, narrows and casts, and what it says of devices."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from hcs_core import to_dtype
from hcs_core.arrays.memory_type import HasDevices, MemoryType
from hcs_core.testing import require_library
from hcs_torch.memory import HELD, TorchMemory

torch = require_library("torch")

MEMORY = TorchMemory()
AS_THEY_ARE = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
WIDENED = ("uint16", "uint32")
every_dtype = pytest.mark.parametrize("dtype", AS_THEY_ARE + WIDENED)


def array_of(dtype, shape=(5, 7)):
    """Return numbers of the whole range of a dtype, its ends among them."""
    generator = np.random.default_rng(3)
    if dtype == "bool":
        return generator.random(shape) < 0.5
    if dtype.startswith("float"):
        return (generator.normal(size=shape) * 100).astype(dtype)
    limits = np.iinfo(dtype)
    found = generator.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    found.flat[:2] = limits.min, limits.max
    return found


def address(array):
    return array.__array_interface__["data"][0]


def test_it_is_a_memory_type_with_devices():
    assert isinstance(MEMORY, MemoryType)
    assert isinstance(MEMORY, HasDevices)


@every_dtype
def test_a_round_trip_is_exact(dtype):
    array = array_of(dtype)
    tensor = MEMORY.from_host(array)
    assert str(tensor.dtype) == f"torch.{HELD[dtype]}"
    back = MEMORY.to_host(tensor, dtype)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


@pytest.mark.parametrize("dtype", AS_THEY_ARE)
def test_what_torch_computes_in_is_shared_both_ways(dtype):
    array = array_of(dtype)
    tensor = MEMORY.from_host(array)
    assert tensor.data_ptr() == address(array)
    assert address(MEMORY.to_host(tensor, dtype)) == address(array)


@every_dtype
def test_a_read_only_array_is_copied_as_a_tensor_would_let_it_be_written_to(dtype):
    array = array_of(dtype)
    array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = MEMORY.from_host(array)
    before = array.copy()
    assert np.array_equal(MEMORY.to_host(tensor, dtype), array)
    tensor.zero_()
    assert np.array_equal(array, before)


WRITES = {
    "in place": lambda image: image.mul_(2),
    "by place": lambda image: image.__setitem__((2, 3), 9),
    "into a view": lambda image: image[1:3].add_(1),
    "out": lambda image: torch.add(image, 1, out=image),
    "detached": lambda image: image.detach().neg_(),
    "as data": lambda image: image.data.mul_(3),
    "in numpy": lambda image: image.numpy().__setitem__((2, 3), 9),
    "upside down in numpy": lambda image: image.numpy().__setitem__(slice(None), image.numpy()[::-1].copy()),
}


@pytest.mark.parametrize("shape", [(5, 7), (64, 129)])
@pytest.mark.parametrize("how", WRITES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_whoever_writes_into_a_tensor_leaves_another_mark(dtype, how, shape):
    tensor = MEMORY.from_host(array_of(dtype, shape))
    before = MEMORY.mark(tensor)
    assert (tensor * 2).sum() + tensor[1:].max() + tensor.numpy().max() + MEMORY.cast(tensor, "float64").sum()
    assert MEMORY.mark(tensor) == before
    WRITES[how](tensor)
    assert MEMORY.mark(tensor) != before


def test_a_tensor_in_which_torch_counts_no_writes_has_no_mark():
    with torch.inference_mode():
        made = torch.ones(3, 4) * 2
    assert MEMORY.mark(made) is None
    assert MEMORY.mark(MEMORY.stack([made])[0]) is not None


def test_the_first_read_only_array_of_a_process_gives_no_warning_either():
    # torch warns of it once in a process, so that this one has warned before.
    code = (
        "import numpy as np\n"
        "from hcs_torch.memory import TorchMemory\n"
        "array = np.arange(6, dtype=np.float32)\n"
        "array.flags.writeable = False\n"
        "print(TorchMemory().from_host(array).tolist())\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]", "")


def test_what_a_tensor_shares_outlives_the_array():
    array = array_of("float32", (300, 300))
    expected = array.copy()
    tensor = MEMORY.from_host(array)
    del array
    # What was given back would be taken by these.
    others = [np.full((300, 300), 7, np.float32) for _ in range(20)]
    assert len(others) == 20
    assert np.array_equal(tensor.numpy(), expected)


@every_dtype
@pytest.mark.parametrize(
    "view",
    [
        lambda array: array[::-1],
        lambda array: array[:, ::-2],
        lambda array: array.T,
        lambda array: array[1:4, 2:5],
        lambda array: np.broadcast_to(array[:1], array.shape),
        lambda array: array[:0],
        lambda array: array.astype(array.dtype.newbyteorder(">")),
        np.asfortranarray,
        lambda array: array[2, 3].reshape(()),
    ],
    ids=["backwards", "every other", "transposed", "cut", "repeated", "empty", "big-endian", "fortran", "a number"],
)
def test_arrays_of_any_layout_come_as_they_are(dtype, view):
    array = view(array_of(dtype))
    tensor = MEMORY.from_host(array)
    assert tuple(tensor.shape) == array.shape
    assert np.array_equal(MEMORY.to_host(tensor, dtype), array)


def test_fields_of_records_come_as_they_are():
    # Steps of 5 bytes between numbers of 4: no tensor has such.
    records = np.zeros(6, np.dtype([("flag", "u1"), ("value", "f4")]))
    records["value"] = np.arange(6)
    assert MEMORY.from_host(records["value"]).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("dtype", ["uint64", "complex64"])
def test_what_cannot_be_held_is_refused_with_what_can(dtype):
    assert MEMORY.holds(dtype) == ""
    with pytest.raises(ValueError, match=f"no image of {dtype}.*uint16"):
        MEMORY.from_host(np.zeros(3, dtype))
    with pytest.raises(ValueError, match=f"no image of {dtype}"):
        MEMORY.cast(torch.zeros(3), dtype)


def test_a_tensor_of_uint64_is_refused():
    with pytest.raises(ValueError, match="no image of uint64"):
        MEMORY.cast(torch.zeros(3, dtype=torch.uint64), "int64")


@every_dtype
@pytest.mark.parametrize("source", ["float16", "float32", "float64"])
def test_floats_become_an_image_by_the_policy_of_the_core(source, dtype):
    values = [-1e30, -40000, -129, -2.5, -0.5, 0, 0.5, 1.5, 2.5, 254.5, 255.5, 256, 32767.5, 65504, 65535.5, 3e9, 5e9]
    with np.errstate(over="ignore"):
        array = np.array([*values, 2**62, 2**63 - 1024, 2**63, 1e19, np.inf, -np.inf, np.nan]).astype(source)
    found = MEMORY.cast(torch.from_numpy(array), dtype)
    assert str(found.dtype) == f"torch.{HELD[dtype]}"
    assert np.array_equal(found.numpy().astype(dtype), to_dtype(array, dtype), equal_nan=dtype.startswith("float"))


@every_dtype
@pytest.mark.parametrize("source", [name for name in AS_THEY_ARE if not name.startswith("float")])
def test_whole_numbers_become_an_image_by_the_policy_of_the_core(source, dtype):
    array = array_of(source)
    found = MEMORY.cast(torch.from_numpy(array), dtype).numpy()
    assert np.array_equal(found, to_dtype(array, dtype).astype(HELD[dtype]))


@pytest.mark.parametrize("source", ["uint16", "uint32"])
def test_tensors_in_which_torch_does_not_compute_are_taken(source):
    array = array_of(source)
    assert np.array_equal(MEMORY.cast(torch.from_numpy(array), "uint16").numpy(), array.clip(0, 65535))


def test_what_is_held_in_a_wider_dtype_is_clipped_at_the_ends_of_its_own():
    tensor = torch.tensor([-5, 0, 65535, 70000], dtype=torch.int32)
    assert MEMORY.cast(tensor, "uint16").tolist() == [0, 0, 65535, 65535]
    assert MEMORY.to_host(tensor, "uint16").tolist() == [0, 0, 65535, 65535]


def test_a_tensor_that_is_an_image_already_is_not_copied():
    tensor = torch.zeros(3)
    assert MEMORY.cast(tensor, "float32") is tensor
    assert MEMORY.to_device(tensor, "cpu") is tensor


def test_what_belongs_to_a_graph_or_is_a_view_of_another_kind_goes_to_the_host():
    weights = torch.ones(3, requires_grad=True)
    assert MEMORY.to_host(weights * 2).tolist() == [2, 2, 2]
    assert MEMORY.to_host(torch.tensor([1.5, 2.5], dtype=torch.bfloat16)).tolist() == [1.5, 2.5]


def test_a_stack_has_zeros_where_there_is_nothing():
    planes = [None, torch.full((2, 3), 7, dtype=torch.int32), None]
    found = MEMORY.stack(planes)
    assert found.dtype == torch.int32
    assert found.tolist() == [[[0] * 3] * 2, [[7] * 3] * 2, [[0] * 3] * 2]


def test_a_stack_has_memory_of_its_own():
    plane = torch.ones(2, 3)
    assert MEMORY.stack([plane]).data_ptr() != plane.data_ptr()


def test_nan_and_infinities_are_counted():
    assert MEMORY.nonfinite(torch.tensor([[1, torch.nan], [torch.inf, -torch.inf]])) == 3
    assert MEMORY.nonfinite(torch.tensor([1, 2])) == 0
    assert MEMORY.nonfinite(torch.zeros(0)) == 0


# --- Devices ------------------------------------------------------------------------------------------------


def test_the_cpu_is_the_last_device_and_cudas_are_as_many_as_torch_says():
    devices = MEMORY.devices()
    assert devices[-1] == "cpu"
    assert [name for name in devices if name.startswith("cuda")] == [
        f"cuda:{number}" for number in range(torch.cuda.device_count())
    ]
    assert len(set(devices)) == len(devices)


def test_every_device_takes_arrays_and_gives_them_back():
    for device in MEMORY.devices():
        for dtype in ("uint8", "uint16", "float32"):
            array = array_of(dtype)
            tensor = MEMORY.from_host(array, device)
            assert MEMORY.device_of(tensor) == device
            assert str(tensor.dtype) == f"torch.{HELD[dtype]}"
            assert np.array_equal(MEMORY.to_host(tensor, dtype), array)
            free = MEMORY.free_bytes(device)
            assert free is None or free > 0
            MEMORY.release(device)


def test_what_is_made_in_a_scope_is_on_its_device_and_builds_no_graph():
    weights = torch.ones(3, requires_grad=True)
    for device in MEMORY.devices():
        with MEMORY.scope(device, "uint16"):
            assert str(torch.zeros(3).device) == device
            assert not (weights * 2).requires_grad
    assert (weights * 2).requires_grad


def test_in_a_scope_a_function_can_still_fit_something():
    with MEMORY.scope("cpu", "float32"):
        kept = torch.arange(3.0)
        with torch.enable_grad():
            offset = torch.zeros((), requires_grad=True)
            ((kept - offset) ** 2).sum().backward()
    assert offset.grad == -6


def test_a_scope_on_the_cpu_stands_above_what_the_program_has_chosen():
    with torch.device("meta"):
        with MEMORY.scope("cpu", "uint8"):
            assert torch.zeros(3).device.type == "cpu"
        assert torch.zeros(3).device.type == "meta"


def test_a_full_device_is_told_from_a_full_host_and_from_other_errors():
    assert MEMORY.is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert MEMORY.is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 9.06 GB)"))
    assert MEMORY.is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    assert not MEMORY.is_out_of_memory(RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"))
    assert not MEMORY.is_out_of_memory(MemoryError("out of memory"))
    with pytest.raises(RuntimeError) as full:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert not MEMORY.is_out_of_memory(full.value)


# --- Light imports ------------------------------------------------------------------------------------------


def test_making_one_and_asking_what_it_owns_imports_no_torch():
    code = (
        "import sys, numpy\n"
        "import hcs_torch.plugin\n"
        "from hcs_torch.memory import TorchMemory\n"
        "memory = TorchMemory()\n"
        "assert not memory.owns(numpy.zeros(3))\n"
        "assert memory.holds('uint16') == 'int32'\n"
        "print('torch' in sys.modules)\n"
        "import torch\n"
        "print(memory.owns(torch.zeros(3)), memory.owns(3))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True", "False"]
