"""The examples of the portable modules do what they say."""

import doctest
import importlib
import pkgutil

import pytest

from hcs_operations import portable

NAMES = [found.name for found in pkgutil.iter_modules(portable.__path__)]


@pytest.mark.parametrize("name", NAMES)
def test_its_examples_run(name):
    module = importlib.import_module(f"{portable.__name__}.{name}")
    assert doctest.testmod(module).failed == 0
