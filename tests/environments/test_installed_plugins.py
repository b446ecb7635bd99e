"""Each plugin beside the engine alone, and the usual ones together: installed from wheels, in order, importable."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.environments
HERE = Path(__file__).parent
REPOSITORY = next(folder for folder in HERE.parents if (folder / "hcs_core").is_dir())
PLUGINS = sorted(
    path.parent.name
    for path in REPOSITORY.glob("plugins/*/*/pyproject.toml")
    if "entry-points" in tomllib.loads(path.read_text(encoding="utf-8"))["project"]
)
"""What brings a plugin; the others are libraries that plugins need."""


def report(environment):
    done = environment.run(environment.python, HERE / "report_plugins.py", "--strict", "--check")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def standard():
    root = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return sorted(set(root["project"]["optional-dependencies"]["standard"]) & set(PLUGINS))


def faults_of(found):
    """Return what does not import, by plugin."""
    return {name: faults for name, faults in found["checks"].items() if faults}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_alone_beside_the_engine_installs_registers_and_imports(
    make_environment, install_by_name, workspace, name
):
    environment = make_environment(name.replace("-", "_"))
    install_by_name(environment, name)
    found = report(environment)
    assert "raised" not in found
    core, record = found["used"]
    project = workspace.project(name)
    assert core["name"] == "core"
    assert (record["distribution"], record["version"]) == (name, project["version"])
    assert (record["status"], record["error"]) == ("ok", None)
    assert record["provides"]
    # Every target imports, so the distribution names all that it needs.
    assert faults_of(found) == {}


def test_the_extra_standard_installs_the_usual_ones(make_environment, install_by_name):
    environment = make_environment("standard")
    install_by_name(environment, "hcs-engine[standard]")
    found = report(environment)
    assert "raised" not in found
    assert sorted(record["distribution"] for record in found["used"]) == sorted(["hcs-engine", *standard()])
    assert {record["status"] for record in found["used"]} == {"ok"}
    assert faults_of(found) == {}


def test_the_command_line_shows_them(make_environment, install_by_name):
    environment = make_environment("listed")
    install_by_name(environment, "hcs-engine[standard]")
    everything = environment.run(environment.command("hcs"), "plugins", "--json")
    assert everything.returncode == 0, everything.stderr
    assert {record["status"] for record in json.loads(everything.stdout)} == {"ok"}
    without = environment.run(environment.command("hcs"), "plugins", "--json", HCS_DISABLE="zarr,disk")
    assert without.returncode == 0, without.stderr
    states = {record["name"]: record["status"] for record in json.loads(without.stdout)}
    assert {name for name, state in states.items() if state == "disabled"} == {"zarr", "disk"}
    assert all(re.fullmatch("ok|disabled", state) for state in states.values())
