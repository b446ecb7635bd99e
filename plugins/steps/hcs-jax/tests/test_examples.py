"""The examples in docstrings run."""

import doctest
import importlib

import pytest

from hcs_core.testing import require_library

require_library("jax")


@pytest.mark.parametrize("module", ["hcs_jax.compiling", "hcs_jax.memory"])
def test_examples_in_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted
    assert result.failed == 0
