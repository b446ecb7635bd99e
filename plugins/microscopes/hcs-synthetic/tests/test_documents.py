"""What the documents show is run."""

import doctest
import re
from pathlib import Path

import pytest

from hcs_core import PluginManager
from hcs_synthetic import plate


def test_the_example_of_the_class_runs():
    result = doctest.testmod(plate)
    assert result.attempted
    assert not result.failed


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch):
    plugins = PluginManager()
    plugins.discover()
    if "imagexpress" not in plugins.microscopes:
        pytest.skip("hcs-imagexpress is not installed")
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(compile(code, "README.md", "exec"), found)  # noqa: S102 -- our own README
    assert found["folder"] == Path("plates/truth")
    assert found["folder"].is_dir()
    assert len(found["cells"]) > 0
    assert found["true"] != found["reported"]
