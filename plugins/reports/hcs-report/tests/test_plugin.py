"""The plugin is light, and what it declares can be loaded."""

import subprocess
import sys

from hcs_core import PluginManager
from hcs_report import plugin
from hcs_report.plate_picture import write


def test_the_writer_is_found_by_its_name():
    manager = PluginManager(strict=True)
    manager.register(plugin, name="report")
    assert manager.writers.load("plate_picture") is write
    assert manager.writers.get("plate_picture").suffix == ".png"


def test_declaring_it_imports_nothing_heavy():
    code = (
        "import sys, hcs_report.plugin as p; list(p.hcs_writers());"
        "print([m for m in ('numpy', 'PIL', 'tifffile', 'zarr') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
