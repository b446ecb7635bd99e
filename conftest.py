"""What the tests of the core and of every plugin share: none reads what was measured on its user's machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _a_cache_of_their_own() -> Iterator[None]:
    """Let the tests, and the programs that they start, find an empty cache folder in place of the user's."""
    with tempfile.TemporaryDirectory(prefix="hcs-cache-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", folder)
        yield
