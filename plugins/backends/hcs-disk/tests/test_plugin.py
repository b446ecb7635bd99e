"""The plugin is light, and what it declares can be loaded."""

from hcs_core import PluginManager
from hcs_disk import plugin
from hcs_disk.tiff import TiffReader


def test_registers_the_reader():
    manager = PluginManager()
    record = manager.register(plugin, "disk")
    assert record.provides == {"readers": ("tiff",)}
    assert manager.check("disk") == ()
    assert manager.readers.load("tiff") is TiffReader
