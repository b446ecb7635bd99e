"""The fake devices do what a test needs of them: they count, they are full, they fail when they are told to."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hcs_core import HasDevices, MemoryType
from hcs_core.testing import FakeDeviceError, FakeDeviceMemory, FakeFailure, FakeOutOfMemoryError

PLANE = np.arange(100, dtype=np.uint16).reshape(10, 10)


@pytest.fixture
def make():
    """Return a maker of a fake memory type with devices of its own."""

    def subclass(**settings):
        return type("Cards", (FakeDeviceMemory,), settings)()

    return subclass


def test_it_is_a_memory_type_with_devices(make):
    assert isinstance(make(), MemoryType)
    assert isinstance(make(), HasDevices)


def test_transfers_are_counted_by_where_they_go(make):
    cards = make(there=("cuda:0", "cuda:1"))
    plane = cards.from_host(PLANE, "cuda:1")
    assert cards.device_of(plane) == "cuda:1"
    moved = cards.to_device(plane, "cuda:0")
    assert cards.to_device(moved, "cuda:0") is moved
    np.testing.assert_array_equal(cards.to_host(moved), PLANE)
    assert cards.use.transfers == {"host->cuda:1": 1, "cuda:1->cuda:0": 1, "cuda:0->host": 1}


def test_what_is_computed_stays_on_its_device_and_two_devices_do_not_mix(make):
    cards = make()
    one, other = (cards.from_host(PLANE, device) for device in ("cuda:0", "cuda:1"))
    result = (one + one) * 3
    assert result.device == "cuda:0"
    np.testing.assert_array_equal(cards.to_host(result), PLANE * 6)
    np.testing.assert_array_equal(cards.to_host(one.reshape(20, 5)[1]), PLANE.reshape(20, 5)[1])
    with pytest.raises(FakeDeviceError, match="one array is on cuda:0, the other on cuda:1"):
        one + other
    with pytest.raises(FakeDeviceError, match="these are on cuda:0, cuda:1"):
        cards.stack([one, other])
    with pytest.raises(TypeError, match="is no numpy array"):
        np.asarray(one)


def test_two_of_them_do_not_know_each_other(make):
    one, other = make(), make()
    array = one.from_host(PLANE)
    assert one.owns(array)
    assert not other.owns(array)
    assert other.use.calls == {}


def test_a_full_device_says_so_and_arrays_give_back_what_they_had(make):
    cards = make(memory={"cuda:0": 500})
    first = cards.from_host(PLANE, "cuda:0")
    second = cards.from_host(PLANE, "cuda:0")
    assert (cards.free_bytes("cuda:0"), cards.free_bytes("cpu")) == (100, None)
    with pytest.raises(FakeOutOfMemoryError, match="cuda:0 is full: 400 of 500 bytes, and 200 asked for") as caught:
        first + second
    assert cards.is_out_of_memory(caught.value)
    del caught, second
    gc.collect()
    assert cards.free_bytes("cuda:0") == 300
    assert (first + 1).shape == PLANE.shape
    assert cards.use.peak == {"cuda:0": 400}


def test_calls_fail_as_they_are_told(make):
    cards = make(failures=(FakeFailure(method="from_host", call=2), FakeFailure(method="map", out_of_memory=True)))
    plane = cards.from_host(PLANE)
    with pytest.raises(FakeDeviceError, match="call 2 of from_host fails") as caught:
        cards.from_host(PLANE)
    assert not cards.is_out_of_memory(caught.value)
    with pytest.raises(FakeOutOfMemoryError):
        plane + 1
    assert cards.to_host(plane + 1)[0, 1] == 2


def test_a_dtype_can_be_held_in_a_wider_one(make):
    cards = make(widened={"uint16": "int32"})
    plane = cards.from_host(PLANE)
    assert (cards.holds("uint16"), plane.dtype) == ("int32", np.int32)
    assert cards.to_host(plane, "uint16").dtype == np.uint16
    assert cards.to_host(plane).dtype == np.int32
    beyond = cards.cast(cards.from_host(np.array([-5, 3, 70_000], np.int32)), "uint16")
    assert (beyond.dtype, cards.to_host(beyond).tolist()) == (np.int32, [0, 3, 65_535])


def test_without_a_scope_it_narrows_where_it_does_so(make):
    cards = make(narrows=True)
    array = cards.from_host(np.ones(3, np.float64))
    assert (array + 1).dtype == np.float32
    with cards.scope("cuda:1", "float64"):
        assert (array + 1).dtype == np.float64
        with cards.scope("cuda:1", "uint16"):
            assert (array + 1).dtype == np.float32
        assert (array + 1).dtype == np.float64
    assert (array + 1).dtype == np.float32
    assert cards.use.scopes == [("cuda:1", "float64"), ("cuda:1", "uint16")]


def test_a_device_that_is_not_there(make):
    cards = make(there=("cuda:0",))
    for act in (lambda: cards.from_host(PLANE, "cuda:3"), lambda: cards.scope("cuda:3", "uint8").__enter__()):
        with pytest.raises(FakeDeviceError, match="there is no device cuda:3: there are cuda:0"):
            act()


def test_threads_may_share_it(make):
    cards = make(memory={"cuda:0": 10**9})

    def work(_):
        for _ in range(50):
            cards.to_host(cards.from_host(PLANE, "cuda:0") + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    gc.collect()
    assert cards.use.transfers == {"host->cuda:0": 400, "cuda:0->host": 400}
    assert cards.free_bytes("cuda:0") == 10**9
