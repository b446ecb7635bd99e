"""What is JAX's own in the memory type `jax`, beside its contract (test_contract.py)."""

import logging
import subprocess
import sys
import threading

import numpy as np
import pytest

from hcs_core import PluginError
from hcs_core.testing import require_library
from hcs_jax.devices import _quietly, named_devices
from hcs_jax.memory import JaxMemory

jax = require_library("jax")
memory = JaxMemory()

UNTOUCHED = """
import sys
from hcs_jax import plugin
from hcs_jax.memory import JaxMemory
made = JaxMemory()
assert not made.owns([1]) and made.holds("float64") == "float64" and made.holds("U5") == ""
assert not made.is_out_of_memory(MemoryError())
list(plugin.hcs_memory_types()), list(plugin.hcs_kernels()), list(plugin.hcs_converters())
print(sorted({"jax", "torch", "cupy"} & set(sys.modules)))
"""


def test_nothing_imports_jax_before_an_array_is_asked_for():
    done = subprocess.run([sys.executable, "-c", UNTOUCHED], check=True, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_looking_for_devices_prints_nothing():
    code = "from hcs_jax.memory import JaxMemory; assert JaxMemory().devices()[-1] == 'cpu'"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_only_errors_are_logged_while_devices_are_looked_for(caplog):
    logger = logging.getLogger("jax._src.xla_bridge")
    with caplog.at_level(logging.DEBUG, logger.name):
        with _quietly():
            logger.warning("there may be a GPU")
            logger.error("its driver is broken")
        logger.warning("said later")
    assert caplog.messages == ["its driver is broken", "said later"]


def test_64_bits_are_of_the_thread_that_enters_the_scope():
    entered, looked = threading.Event(), threading.Event()

    def wide():
        with memory.scope("cpu", "float64"):
            entered.set()
            looked.wait(10)
            return jax.numpy.zeros(1).dtype

    found = []
    thread = threading.Thread(target=lambda: found.append(wide()))
    thread.start()
    assert entered.wait(10)
    assert jax.numpy.zeros(1).dtype == np.float32
    looked.set()
    thread.join()
    assert found == [np.float64]


@pytest.mark.parametrize("dtype", ["uint16", "float32", "complex64"])
def test_a_scope_of_less_leaves_defaults_as_they_are(dtype):
    with memory.scope("cpu", dtype):
        assert jax.numpy.zeros(1).dtype == np.float32
        assert jax.numpy.zeros(1).devices() == {named_devices()["cpu"]}


def test_aligned_memory_is_shared_and_other_memory_is_copied():
    room = np.zeros(4096 + 64, np.uint8)
    start = -room.ctypes.data % 64
    aligned, shifted = (room[first : first + 4000].view(np.uint16) for first in (start, start + 2))
    assert np.shares_memory(memory.to_host(memory.from_host(aligned)), room)
    assert not np.shares_memory(memory.to_host(memory.from_host(shifted)), room)


def test_to_the_host_nothing_is_copied():
    array = memory.from_host(np.arange(12, dtype=np.float64).reshape(3, 4))
    host = memory.to_host(array, "float64")
    assert host.ctypes.data == array.unsafe_buffer_pointer()
    assert not host.flags.writeable


def test_a_device_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(PluginError, match=r"jax has no device 'cuda:7' here: it has .*cpu\."):
        memory.from_host(np.zeros(2), "cuda:7")


def test_an_array_that_has_no_room_is_out_of_memory():
    with pytest.raises(jax.errors.JaxRuntimeError) as caught:
        jax.numpy.zeros((1 << 22, 1 << 22), np.uint8).block_until_ready()
    assert memory.is_out_of_memory(caught.value)
    assert not memory.is_out_of_memory(RuntimeError("RESOURCE_EXHAUSTED"))


def test_the_smallest_floats_survive_a_cast():
    tiny = np.array([1e-45, -1e-40, 0.0], np.float32)
    assert memory.to_host(memory.cast(memory.from_host(tiny), "float64")).tolist() == tiny.astype(float).tolist()
    assert memory.to_host(memory.cast(memory.from_host(tiny), "bool")).tolist() == [True, True, False]
