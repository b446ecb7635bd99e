"""What the distribution declares."""

from hcs_core import PluginManager
from hcs_zarr import plugin
from hcs_zarr.backend import ZarrBackend


def test_the_backend_is_found_by_its_name_and_is_durable():
    manager = PluginManager()
    manager.register(plugin, name="zarr")
    assert manager.storage_backends.load("zarr") is ZarrBackend
    assert manager.storage_backends.get("zarr").durable
