"""Moving arrays between memory types: the direct route where there is one, else through host memory."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from hcs_core import ConverterSpec, MemoryTypeSpec, PluginManager, UnknownNameError, hookimpl
from hcs_core.arrays.conversion import Converter


@pytest.fixture
def memory(monkeypatch):
    """Return a manager with the memory types `one`, `two`, `three`, a route from one to two, and what happened."""
    module = ModuleType("made_up_memory")
    happened = []

    def memory_type(name):
        class Memory:
            def __init__(self):
                happened.append(f"made {name}")

            def owns(self, array):
                return isinstance(array, tuple) and array[0] == name

            def from_host(self, array):
                happened.append(f"host->{name}")
                return (name, array)

            def to_host(self, array):
                happened.append(f"{name}->host")
                return array[1]

        return Memory

    def direct(array):
        happened.append("one->two")
        return ("two", array[1])

    for name in ("one", "two", "three"):
        setattr(module, name, memory_type(name))
    module.direct = direct
    monkeypatch.setitem(sys.modules, module.__name__, module)
    types = [
        MemoryTypeSpec(name=name, target=f"made_up_memory:{name}", library="numpy")
        for name in ("one", "two", "three")
    ]
    route = ConverterSpec(source="one", destination="two", target="made_up_memory:direct")
    manager = PluginManager()
    manager.register(
        SimpleNamespace(
            hcs_api=1, hcs_memory_types=hookimpl(lambda: iter(types)), hcs_converters=hookimpl(lambda: iter([route]))
        )
    )
    return SimpleNamespace(manager=manager, happened=happened)


def test_the_direct_route_is_used_where_there_is_one(memory):
    image = np.arange(3)
    result = Converter(memory.manager).convert(("one", image), "one", "two")
    assert result[0] == "two"
    assert result[1] is image
    assert memory.happened == ["one->two"]


def test_a_route_goes_one_way(memory):
    result = Converter(memory.manager).convert(("two", 5), "two", "one")
    assert result == ("one", 5)
    assert [step for step in memory.happened if "made" not in step] == ["two->host", "host->one"]


def test_without_a_route_arrays_go_through_the_host(memory):
    assert Converter(memory.manager).convert(("one", 5), "one", "three") == ("three", 5)
    assert [step for step in memory.happened if "made" not in step] == ["one->host", "host->three"]


def test_the_array_itself_where_both_are_one_even_an_unknown_one(memory):
    image = np.zeros(2)
    assert Converter(memory.manager).convert(image, "numpy", "numpy") is image
    assert memory.happened == []


def test_a_memory_type_is_made_once(memory):
    converter = Converter(memory.manager)
    for _ in range(3):
        converter.convert(("one", 1), "one", "three")
    assert sorted(step for step in memory.happened if "made" in step) == ["made one", "made three"]
    assert converter.memory_type("one") is converter.memory_type("one")


@pytest.mark.parametrize(("source", "destination"), [("one", "torch"), ("torch", "one")])
def test_a_memory_type_that_is_not_there_is_named(memory, source, destination):
    with pytest.raises(UnknownNameError, match="no memory type is called 'torch'"):
        Converter(memory.manager).convert(("one", 1), source, destination)
