"""The plugin that docs/plugins.md makes and tests passes its contracts, as the page says."""

import re
import sys
from pathlib import Path

import pytest

import hcs_core.testing

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
METADATA = "Metadata-Version: 2.1\nName: hcs-offset\nVersion: 0.1.0\nRequires-Dist: hcs-engine>=0.1\n"


def block(words):
    (found,) = (code for code in CODE if words in code)
    return found


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """The distribution as the page writes it, where Python finds it; return the folder of its tests."""
    site = tmp_path / "hcs-offset"
    for folder in ("hcs_offset", "hcs_offset-0.1.0.dist-info", "tests"):
        (site / folder).mkdir(parents=True)
    (site / "hcs_offset" / "__init__.py").touch()
    (site / "hcs_offset" / "plugin.py").write_text(CODE[0])
    (site / "hcs_offset" / "kernels.py").write_text(block("hcs_offset/kernels.py:"))
    (site / "hcs_offset-0.1.0.dist-info" / "METADATA").write_text(METADATA)
    (site / "hcs_offset-0.1.0.dist-info" / "entry_points.txt").write_text("[hcs_core]\noffset = hcs_offset.plugin\n")
    (site / "tests" / "conftest.py").write_text(block("tests/conftest.py"))
    (site / "tests" / "test_contract.py").write_text(block("keeps the contracts"))
    (site / "tests" / "test_own.py").write_text(block("def test_it_has_the_operation"))
    monkeypatch.syspath_prepend(site)
    yield site / "tests"
    for name in [name for name in sys.modules if name.partition(".")[0] == "hcs_offset"]:
        del sys.modules[name]


def test_it_passes_its_tests(run, distribution):
    found = run(distribution)
    passed = {rule for rules in found.outcomes.values() for rule, outcome in rules.items() if outcome == "passed"}
    assert {"test_every_target_imports", "test_threads_do_not_disturb_each_other"} <= passed
    assert "test_it_has_the_operation" in passed
    assert found.messages == []


def test_the_page_names_every_contract():
    contracts = {name for name in hcs_core.testing.__all__ if name.endswith("Contract")}
    assert set(re.findall(r"`(\w+Contract)` \|", PAGE)) == contracts
