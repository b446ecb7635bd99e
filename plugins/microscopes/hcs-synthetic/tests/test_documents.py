"""What the documents show is run."""

import doctest
import re
from pathlib import Path

import pytest

from hcs_core import PluginManager
from hcs_synthetic import faults, plate


@pytest.mark.parametrize("module", [plate, faults])
def test_the_example_of_a_class_runs(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


def test_the_examples_of_the_readme_run(tmp_path, monkeypatch):
    plugins = PluginManager()
    plugins.discover()
    if "imagexpress" not in plugins.microscopes:
        pytest.skip("hcs-imagexpress is not installed")
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(compile(first, "README.md", "exec"), found)  # noqa: S102 -- our own README
    assert found["folder"] == Path("plates/truth")
    assert found["folder"].is_dir()
    assert len(found["cells"]) > 0
    assert found["true"] != found["reported"]
    exec(compile(second, "README.md", "exec"), found)  # noqa: S102 -- our own README
    assert found["folder"] == Path("plates/faulty")
    assert set(found["absent"]) == {("B02", 2, channel, 1, 1) for channel in (1, 2)}
    assert len(found["plate"].damage) == 2 + 1 + 3
