"""Plugins that a test makes up."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from hcs_core import hookimpl


@pytest.fixture
def make_plugin() -> Callable[..., ModuleType]:
    """Return a maker of plugins: each keyword is a hook, given as its specs or as a function."""

    def make(name: str = "made_up", *, hcs_api: object = 1, **hooks: Any) -> ModuleType:
        module = ModuleType(name)
        module.hcs_api = hcs_api  # type: ignore[attr-defined]
        for hook, given in hooks.items():
            setattr(module, hook, hookimpl(given if callable(given) else _yielding(given)))
        return module

    return make


def _yielding(specs: Any) -> Callable[[], Any]:
    return lambda: iter(specs)
