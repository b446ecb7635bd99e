"""Routes between memory types that each break one rule of `ConverterContract`."""

import numpy as np

from hcs_core import ConverterSpec
from hcs_core.testing import ConverterContract, FakeArray, fakes

MEMORY_TYPES = tuple(fakes.hcs_memory_types())


def under_contract(breaks, devices=()):
    """Put a route under the contract, in a class that says which rule it breaks."""

    def declare(function):
        spec = ConverterSpec(
            source="fake_device", destination="fake", target=f"{__name__}:{function.__name__}", devices=devices
        )
        name = f"Test_{function.__name__}"
        attributes = {"converters": (spec,), "memory_types": MEMORY_TYPES, "breaks": breaks}
        globals()[name] = type(name, (ConverterContract,), attributes)
        return function

    return declare


@under_contract(None)
def right(array):
    return FakeArray(array.values)


@under_contract(None, devices=("cpu",))
def copies(array):
    return FakeArray(array.values.copy())


@under_contract("test_the_content_comes_through")
def turns(array):
    return FakeArray(array.values[::-1])


@under_contract("test_the_dtype_is_the_same_or_a_wider_one")
def makes_objects_of_truths(array):
    return FakeArray(array.values.astype(object) if array.dtype == np.bool_ else array.values)


@under_contract("test_the_source_is_left_as_it_was")
def empties(array):
    result = FakeArray(array.values.copy())
    array.values[...] = 0
    return result


@under_contract("test_the_result_is_of_its_destination")
def returns_its_source(array):
    return array
