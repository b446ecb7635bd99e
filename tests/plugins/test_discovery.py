"""What is installed is listed, whatever its metadata lack, and whoever reads them."""

import subprocess
import sys

import pytest

LIST = """
from hcs_core.plugins.discovery import installed_plugins
print([(found.owner.distribution, found.version) for found in installed_plugins() if found.owner.plugin == "cut_off"])
"""


@pytest.mark.parametrize("before", ["", "import importlib_metadata"])
def test_a_distribution_without_name_and_version_is_listed(tmp_path, before):
    """Where importlib-metadata is imported, its own finder answers, and what is absent raises there."""
    folder = tmp_path / "cut_off-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\n")
    (folder / "entry_points.txt").write_text("[hcs_core]\ncut_off = cut_off\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{before}\n{LIST}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[('an unnamed distribution', None)]\n"), done.stderr
