"""What docs/plugins.md says of plugins is so: its code runs, its states and its fifteen lines are right."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from hcs_core import PluginManager
from hcs_core.plugins.discovery import GROUP
from hcs_core.plugins.records import PluginStatus
from hcs_core.plugins.staging import HCS_API

REPOSITORY = next(folder for folder in Path(__file__).parents if (folder / "hcs_core").is_dir())
PAGE = (REPOSITORY / "docs" / "plugins.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_there_is_code_to_run():
    assert len(CODE) >= 4


@pytest.fixture
def offset(monkeypatch):
    """The plugin that the page is about, as if it were installed."""
    package, plugin = ModuleType("hcs_offset"), ModuleType("hcs_offset.plugin")
    exec(compile(CODE[0], "docs/plugins.md", "exec"), vars(plugin))  # noqa: S102 - our own page
    package.plugin = plugin
    monkeypatch.setitem(sys.modules, "hcs_offset", package)
    monkeypatch.setitem(sys.modules, "hcs_offset.plugin", plugin)


@pytest.mark.usefixtures("offset")
@pytest.mark.parametrize("number", range(len(CODE)))
def test_every_block_of_code_runs(number):
    exec(compile(CODE[number], f"docs/plugins.md, block {number + 1}", "exec"), {})  # noqa: S102 - our own page


def test_the_first_block_is_a_plugin_of_fifteen_lines():
    lines = [line for line in CODE[0].splitlines() if line.strip()]
    assert len(lines) <= 15
    plugin = ModuleType("offset")
    exec(compile(CODE[0], "docs/plugins.md", "exec"), vars(plugin))  # noqa: S102 - our own page
    manager = PluginManager(strict=True)
    assert manager.register(plugin).provides == {"kernels": ("subtract_offset/numpy",)}


def test_the_entry_point_is_in_the_group_that_is_searched_and_names_that_module():
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    project = tomllib.loads(block)["project"]
    ((name, module),) = project["entry-points"][GROUP].items()
    assert CODE[0].startswith(f'"""{module.replace(".", "/")}.py:')
    assert project["name"] == f"hcs-{name}"


def test_the_states_and_the_number_are_those_of_the_code():
    for status in PluginStatus:
        assert f"`{status}`" in PAGE
    assert f"`hcs_api = {HCS_API}`" in PAGE
