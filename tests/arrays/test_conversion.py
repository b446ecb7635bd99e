"""Moving arrays between memory types and devices: never more often than needed, never silently another array."""

from types import SimpleNamespace

import numpy as np
import pytest

from hcs_core import ConverterSpec, MemoryTypeSpec, PluginError, PluginManager, RunError, UnknownNameError, hookimpl
from hcs_core.arrays.conversion import Converter
from hcs_core.testing import FakeDeviceArray, FakeDeviceMemory, FakeFailure, FakeOutOfMemoryError

PLANE = np.arange(12, dtype=np.uint16).reshape(3, 4)


@pytest.fixture
def types(target):
    """Return a maker: classes of fake memory types, by name, and a `Converter` that knows them and some routes."""

    def make(settings=None, routes=(), **overrides):
        names = ("one", "two", "three")
        classes = {
            name: type(name, (FakeDeviceMemory,), {**(settings or {}), **overrides.get(name, {})}) for name in names
        }
        declared = [
            MemoryTypeSpec(name=name, target=target(name, cls), library="numpy") for name, cls in classes.items()
        ]
        manager = PluginManager()
        plugin = SimpleNamespace(
            hcs_api=1,
            hcs_memory_types=hookimpl(lambda: iter(declared)),
            hcs_converters=hookimpl(lambda: iter(routes)),
        )
        manager.register(plugin, name="made_up")
        return SimpleNamespace(**classes, converter=Converter(manager))

    return make


@pytest.fixture
def route(target):
    """Return a maker of a direct route from one to two, and how often each was taken."""
    taken = []

    def make(function=None, devices=()):
        def direct(array):
            taken.append(array.device)
            return function(array)

        return ConverterSpec(source="one", destination="two", target=target("direct", direct), devices=devices)

    make.taken = taken
    return make


def wrapped(found):
    """Return a route that gives an array of another class over the same values."""

    def direct(array):
        return FakeDeviceArray(array.values, array.device, found["two"])

    return direct


def with_route(types, route, devices=(), change=None, **settings):
    classes = {}
    make = wrapped(classes)
    found = types(settings, [route(lambda array: (change or (lambda made: made))(make(array)), devices)])
    classes["two"] = found.two
    return found


def test_through_the_host_where_there_is_no_route(types):
    found = types()
    there = found.converter.convert(PLANE, "numpy", "one", "uint16", "cuda:0")
    other = found.converter.convert(there, "one", "three", "uint16", "cuda:1")
    assert (type(other.library), other.library, other.device) == (type, found.three, "cuda:1")
    np.testing.assert_array_equal(other.values, PLANE)
    assert found.one.use.transfers == {"host->cuda:0": 1, "cuda:0->host": 1}
    assert found.three.use.transfers == {"host->cuda:1": 1}
    assert found.converter.counts == {"numpy->one": 1, "one->three": 1}


def test_a_direct_route_spares_the_host(types, route):
    found = with_route(types, route)
    there = found.converter.convert(PLANE, "numpy", "one", "uint16", "cuda:0")
    other = found.converter.convert(there, "one", "two", "uint16", "cuda:0")
    assert (other.library, other.device) == (found.two, "cuda:0")
    assert found.two.use.transfers == {}
    assert found.one.use.transfers == {"host->cuda:0": 1}
    assert found.converter.counts == {"numpy->one": 1, "one->two": 1}


def test_a_route_goes_one_way(types, route):
    found = with_route(types, route)
    there = found.converter.convert(PLANE, "numpy", "two", "uint16")
    assert found.converter.convert(there, "two", "one", "uint16").library is found.one
    assert route.taken == []


@pytest.mark.parametrize(
    ("devices", "source", "destination", "is_taken"),
    [
        ((), "cuda:0", "cuda:0", True),
        (("cuda",), "cuda:0", "cuda:1", True),
        (("cuda",), "cpu", "cpu", False),
        ((), "cpu", "cuda:0", False),
        ((), "cuda:0", "cpu", False),
        (("cpu", "cuda"), "cpu", "cpu", True),
    ],
)
def test_a_route_is_taken_between_devices_of_one_kind_on_which_it_works(
    types, route, devices, source, destination, is_taken
):
    found = with_route(types, route, devices)
    there = found.converter.convert(PLANE, "numpy", "one", "uint16", source)
    other = found.converter.convert(there, "one", "two", "uint16", destination)
    assert route.taken == [source] * is_taken
    assert other.device == destination
    np.testing.assert_array_equal(other.values, PLANE)
    crossed = is_taken and source != destination
    assert found.two.use.transfers == (
        {f"{source}->{destination}": 1} if crossed else {} if is_taken else {f"host->{destination}": 1}
    )


def test_what_a_route_gives_is_held_as_its_memory_type_holds_it(types, route):
    found = with_route(types, route)
    found.two.widened = {"uint16": "int32"}
    there = found.converter.convert(PLANE, "numpy", "one", "uint16")
    other = found.converter.convert(there, "one", "two", "uint16")
    assert (there.dtype, other.dtype) == (np.uint16, np.int32)
    back = found.converter.convert(other, "two", "numpy", "uint16")
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, PLANE)


def test_the_array_itself_where_it_is_there_already(types):
    found = types()
    there = found.converter.convert(PLANE, "numpy", "one", "uint16", "cuda:0")
    assert found.converter.convert(there, "one", "one", "uint16", "cuda:0") is there
    assert found.converter.convert(PLANE, "numpy", "numpy", "uint16") is PLANE
    assert found.converter.counts == {"numpy->one": 1}


def test_a_move_between_devices_of_one_library_is_one_transfer(types):
    found = types()
    there = found.converter.convert(PLANE, "numpy", "one", "uint16", "cuda:0")
    assert found.converter.convert(there, "one", "one", "uint16", "cuda:1").device == "cuda:1"
    assert found.one.use.transfers == {"host->cuda:0": 1, "cuda:0->cuda:1": 1}
    assert found.converter.counts == {"numpy->one": 1, "one cuda:0->cuda:1": 1}


def test_a_memory_type_is_made_once(types):
    found = types()
    made = found.converter.memory_type("one")
    found.converter.convert(PLANE, "numpy", "one", "uint16")
    assert found.converter.memory_type("one") is made


@pytest.mark.parametrize(("source", "destination"), [("numpy", "torch"), ("torch", "numpy")])
def test_a_memory_type_that_is_not_there_is_named(types, source, destination):
    with pytest.raises(UnknownNameError, match="no memory type is called 'torch'"):
        types().converter.convert(PLANE, source, destination, "uint16")


def test_an_image_of_another_dtype_than_was_said_is_refused(types):
    converter = types().converter
    with pytest.raises(RunError, match="an array of uint16 was given as an image of uint8, which the memory type"):
        converter.convert(PLANE, "numpy", "one", "uint8")
    held = types({"widened": {"uint16": "int32"}}).converter
    with pytest.raises(RunError, match="'numpy' holds as uint16"):
        held.convert(PLANE.astype(np.int32), "numpy", "one", "uint16")


def test_a_dtype_that_cannot_be_held_is_refused(types):
    found = types({"widened": {"uint64": ""}})
    with pytest.raises(RunError, match="'one' cannot hold an image of uint64"):
        found.converter.convert(PLANE.astype(np.uint64), "numpy", "one", "uint64")
    assert found.one.use.calls == {}


def test_a_transfer_that_fails_is_not_counted_and_says_what_its_library_says(types):
    found = types({"failures": [FakeFailure(method="from_host", out_of_memory=True)]})
    with pytest.raises(FakeOutOfMemoryError):
        found.converter.convert(PLANE, "numpy", "one", "uint16")
    assert found.converter.counts == {}
    found.converter.convert(PLANE, "numpy", "one", "uint16")
    assert found.converter.counts == {"numpy->one": 1}


def lying(method, change):
    """Return what makes a memory type whose method gives something else than the right one would."""

    def lie(self, *arguments):
        return change(getattr(FakeDeviceMemory, method)(self, *arguments))

    return {method: lie}


def transposed(array):
    return array.map(np.transpose)


def floats(array):
    return array.map(lambda values: values.astype(np.float32))


@pytest.mark.parametrize(
    ("method", "change", "found"),
    [
        ("from_host", transposed, r"returned uint16 \(4, 3\) from from_host, expected was uint16 \(3, 4\)"),
        ("from_host", floats, r"returned float32 \(3, 4\) from from_host, expected was uint16 \(3, 4\)"),
        ("from_host", lambda array: array.values, r"returned ndarray from from_host"),
        ("to_host", lambda values: values.astype(np.int64), r"returned int64 \(3, 4\) from to_host"),
        ("to_host", lambda values: values.ravel(), r"returned uint16 \(12,\) from to_host"),
        ("to_host", lambda values: values.tolist(), r"returned list from to_host"),
        ("to_device", transposed, r"returned uint16 \(4, 3\) from to_device"),
    ],
)
def test_a_memory_type_that_returns_something_else_is_named(types, method, change, found):
    made = types(lying(method, change))

    def there_and_back():
        there = made.converter.convert(PLANE, "numpy", "one", "uint16", "cuda:0")
        made.converter.convert(there, "one", "one", "uint16", "cuda:1")
        made.converter.convert(there, "one", "numpy", "uint16")

    with pytest.raises(PluginError, match=f"the memory type 'one' of .*made_up.* {found}"):
        there_and_back()


@pytest.mark.parametrize(
    ("change", "words"),
    [(transposed, r"\(4, 3\) from its function"), (lambda array: array.values, "returned ndarray from its function")],
)
def test_a_route_that_returns_something_else_is_named(types, route, change, words):
    found = with_route(types, route, change=change)
    there = found.converter.convert(PLANE, "numpy", "one", "uint16")
    with pytest.raises(PluginError, match=f"the converter 'one->two' of .*made_up.* {words}"):
        found.converter.convert(there, "one", "two", "uint16")


def test_big_endian_planes_are_planes_of_their_dtype(types):
    found = types()
    there = found.converter.convert(PLANE.astype(">u2"), "numpy", "one", "uint16")
    assert there.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(there.values, PLANE)
