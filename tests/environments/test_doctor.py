"""`hcs doctor` in environments of their own: the engine alone, beside a broken plugin, and beside its namesake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.environments
BROKEN = Path(__file__).parents[1] / "broken_distributions" / "raises_on_import"
NAMESAKE = """
[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "hcs-core"
version = "9.9"

[tool.hatch.build.targets.wheel]
only-include = ["hcs_core/of_the_other.py"]
"""


@pytest.fixture
def doctor(make_environment, install_by_name, tmp_path):
    """Return an environment with the engine alone, and what runs its `hcs doctor --json`."""
    environment = make_environment("doctor")
    install_by_name(environment, "hcs-engine")

    def run():
        ran = environment.run(environment.command("hcs"), "doctor", "--json")
        return ran.returncode, json.loads(ran.stdout)

    return environment, run


def test_each_trouble_is_found_and_gone_when_it_is_seen_to(doctor, install_by_name, tmp_path):
    environment, run = doctor
    code, found = run()
    assert code == 1
    assert [trouble["advice"] for trouble in found["troubles"]] == [
        "pip install 'hcs-engine[standard]' brings the usual plugins."
    ]
    install_by_name(environment, "hcs-engine[standard]")
    code, found = run()
    assert (code, found["troubles"], found["other_distributions"]) == (0, [], [])

    environment.install(BROKEN)
    code, found = run()
    (trouble,) = found["troubles"]
    assert code == 1
    assert "plugin 'raises_on_import' of hcs-raises-on-import" in trouble["what"]

    (tmp_path / "pyproject.toml").write_text(NAMESAKE, encoding="utf-8")
    (tmp_path / "hcs_core").mkdir()
    (tmp_path / "hcs_core" / "of_the_other.py").write_text("")
    environment.install(tmp_path)
    code, found = run()
    assert (code, found["other_distributions"]) == (1, ["hcs-core"])
    assert found["troubles"][0]["advice"].startswith("pip uninstall hcs-core")
