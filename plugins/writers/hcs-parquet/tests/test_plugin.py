"""The plugin is light, and what it declares can be loaded."""

import subprocess
import sys

from hcs_core.testing import PluginContract
from hcs_parquet import plugin
from hcs_parquet.tables import write


class TestPlugin(PluginContract):
    module = "hcs_parquet.plugin"
    name = "parquet"


def test_the_writer_is_found_by_its_name(hcs_manager):
    hcs_manager.register(plugin, name="parquet")
    assert hcs_manager.writers.load("parquet") is write
    spec = hcs_manager.writers.get("parquet")
    assert (spec.kind, spec.suffix) == ("table", ".parquet")


def test_declaring_it_imports_nothing_heavy():
    code = (
        "import sys, hcs_parquet.plugin as p; list(p.hcs_writers());"
        "print([m for m in ('numpy', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
