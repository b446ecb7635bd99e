"""Array libraries that tests need: absent, they are a reason to skip, or to fail where they must be there."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

REQUIRED = "HCS_REQUIRE_LIBRARIES"
"""The environment variable that names, with commas between, the libraries without which tests fail."""


def require_library(name: str) -> Any:
    """Return an array library, or skip the test module that asks for it, with the reason.

    Where the environment variable `HCS_REQUIRE_LIBRARIES` names it, the module fails instead: a run that is meant to
    test the library is never green without it.

    Parameters
    ----------
    name
        What is imported, such as `torch`.

    Examples
    --------
    At the head of a test module::

        from hcs_core.testing import require_library

        torch = require_library("torch")
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if name in {word.strip() for word in os.environ.get(REQUIRED, "").split(",")}:
            pytest.fail(f"{name} cannot be imported, and {REQUIRED} names it: {error}", pytrace=False)
        pytest.skip(f"{name} cannot be imported: {error}", allow_module_level=True)
