"""The plugin is light, and what it declares can be loaded."""

from hcs_core import PluginManager
from hcs_disk import plugin
from hcs_disk.backend import DiskBackend
from hcs_disk.tiff import TiffReader


def test_registers_the_reader_and_the_backend():
    manager = PluginManager()
    record = manager.register(plugin, "disk")
    assert record.provides == {"readers": ("tiff",), "storage_backends": ("disk",), "writers": ("tiff",)}
    assert manager.check("disk") == ()
    assert manager.readers.load("tiff") is TiffReader
    assert manager.storage_backends.load("disk") is DiskBackend
    spec = manager.storage_backends.get("disk")
    assert (spec.durable, spec.suffix) == (True, "")
