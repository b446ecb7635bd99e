"""What the distribution declares."""

import subprocess
import sys

from hcs_core import ImageStore, PluginManager, StorageBackend, WellStore
from hcs_zarr import plugin
from hcs_zarr.backend import ZarrBackend


def test_the_backend_is_found_by_its_name_and_is_durable():
    manager = PluginManager()
    manager.register(plugin, name="zarr")
    assert manager.storage_backends.load("zarr") is ZarrBackend
    assert manager.storage_backends.get("zarr").durable


def test_declaring_it_imports_nothing_heavy():
    code = (
        "import sys, hcs_zarr.plugin as p; list(p.hcs_storage_backends());"
        "print([m for m in ('numpy', 'zarr', 'numcodecs', 'cv2', 'tifffile') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_follows_the_protocols(write_plate, make_layout):
    written = write_plate(make_layout())
    assert isinstance(ZarrBackend(), StorageBackend)
    assert isinstance(written.store, ImageStore)
    assert isinstance(written.store.open_well("A01"), WellStore)
