"""The plugin is light, and what it declares can be loaded."""

import subprocess
import sys

from hcs_core import PluginManager
from hcs_disk import plugin
from hcs_disk.tiff import TiffReader


def test_registers_the_reader():
    manager = PluginManager()
    record = manager.register(plugin, "disk")
    assert record.provides == {"readers": ("tiff",)}
    assert manager.check("disk") == ()
    assert manager.readers.load("tiff") is TiffReader


def test_importing_it_brings_in_no_heavy_library():
    code = (
        "import sys, hcs_disk.plugin; list(hcs_disk.plugin.hcs_readers());"
        "print(sorted({'numpy', 'tifffile', 'imagecodecs', 'zarr', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
