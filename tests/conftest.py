"""What the core's tests share: the installed plugins, small plates, and the real samples where they are."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from hcs_core import PluginManager

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def installed() -> PluginManager:
    """The installed plugins; tests that register something make a manager of their own."""
    manager = PluginManager()
    manager.discover()
    return manager


@pytest.fixture(scope="session")
def samples() -> Path:
    """The real ImageXpress plates."""
    folder = SHARED / "imagexpress"
    if not folder.is_dir():
        pytest.skip("shared/ is not here")
    return folder


@pytest.fixture(scope="session")
def make_plate(tmp_path_factory: pytest.TempPathFactory, installed: PluginManager) -> Callable[..., Path]:
    """Write a synthetic plate in MetaXpress export layout; small unless asked otherwise."""
    from hcs_synthetic.making import make_plate as write
    from hcs_synthetic.plate import SyntheticPlate

    def make(**facts: object) -> Path:
        small = {"wells": ("A01", "B03"), "grid": (1, 2), "image_shape": (64, 96), "cells_per_field": 5.0}
        plate = SyntheticPlate(**{**small, "name": "plate", "z_count": 2, **facts})
        return write(tmp_path_factory.mktemp("plates"), plate, plugins=installed)

    return make


@pytest.fixture
def target(monkeypatch, request):
    """Return a maker of targets: an object goes into a module that can be imported, and its place is returned."""
    module = ModuleType(f"made_up_for_{abs(hash(request.node.nodeid))}")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def make(name, value):
        setattr(module, name, value)
        return f"{module.__name__}:{name}"

    return make


def tree_digest(folder: Path) -> str:
    """A digest of every name, size, time and byte below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        digest.update(f"{path.relative_to(folder)} {stat.st_size} {stat.st_mtime_ns} {stat.st_mode}".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="session")
def digest_of() -> Callable[[Path], str]:
    """The digest of a folder's content and times."""
    return tree_digest
