"""The fixture `hcs_manager`: a plugin manager in which nothing is but the core."""

from __future__ import annotations

import pytest

from hcs_core.errors import PluginError
from hcs_core.plugins.kinds import Kind
from hcs_core.plugins.manager import PluginManager

_ADD = "Add a plugin to hcs_manager with hcs_manager.register(my_package.plugin)."


class CoreManager(PluginManager):
    """A strict manager of the core alone: what happens to be installed does not show in a test."""

    def __init__(self) -> None:
        super().__init__(strict=True)

    def discover(self) -> None:
        """Refuse to look at what is installed.

        Raises
        ------
        PluginError
            Always; the text says what to do instead.
        """
        raise PluginError(f"hcs_manager does not discover what is installed. {_ADD}")

    def _absent(self, kind: Kind, name: str) -> str:
        return f"{super()._absent(kind, name)} {_ADD}"


@pytest.fixture
def hcs_manager() -> CoreManager:
    """Return a strict `PluginManager` with the core alone; add a plugin with `hcs_manager.register(module)`.

    Make it known to your tests in a `conftest.py`::

        from hcs_core.testing import hcs_manager  # noqa: F401
    """
    return CoreManager()
