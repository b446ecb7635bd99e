"""The examples of docstrings and of the README."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import hcs_operations
from hcs_operations.operations import OPERATIONS

MODULES = [module.name for module in pkgutil.walk_packages(hcs_operations.__path__, "hcs_operations.")]


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_portable_kernel_has_an_example(name):
    module, _, function = OPERATIONS[name].portable.partition(":")
    kernel = getattr(importlib.import_module(module), function)
    assert doctest.DocTestFinder(recurse=False).find(kernel)[0].examples


def test_the_examples_of_the_readme_run():
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted
    assert result.failed == 0
