"""What an import brings in, by the names of modules, each in an interpreter of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hcs_core

HEAVY = ("cupy", "cv2", "dask", "imagecodecs", "jax", "numpy", "scipy", "skimage", "tifffile", "torch", "zarr")


def modules_after(code):
    """Return the top-level modules that `code` adds to a fresh interpreter, standard library aside."""
    script = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        f"{code}\n"
        "added = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(json.dumps(sorted(added - sys.stdlib_module_names)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_check_itself_sees_what_is_imported():
    assert "attr" in modules_after("import attrs")


def test_importing_the_package_brings_in_nothing():
    assert modules_after("import hcs_core") == {"hcs_core"}


def test_asking_for_the_public_names_brings_in_nothing():
    assert modules_after("import hcs_core; dir(hcs_core)") == {"hcs_core"}


def test_a_manager_without_discovery_does_without_stevedore():
    added = modules_after("from hcs_core import PluginManager; PluginManager()")
    assert "pluggy" in added
    assert added.isdisjoint({"stevedore", *HEAVY})


@pytest.fixture(scope="module")
def after_discovery():
    return modules_after(
        "from hcs_core import PluginManager\n"
        "manager = PluginManager()\n"
        "manager.discover()\n"
        "assert len(manager.records()) > 1, 'no plugin is installed beside the core'\n"
        "manager.records(); manager.registries()\n"
    )


@pytest.mark.parametrize("heavy", HEAVY)
def test_listing_every_installed_plugin_brings_in_nothing_heavy(after_discovery, heavy):
    assert "stevedore" in after_discovery
    assert heavy not in after_discovery


def test_only_the_command_line_reads_environment_variables():
    """A worker process sets what its libraries want and its user has not set: it is there for nothing else."""
    package = Path(hcs_core.__file__).parent
    readers = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if re.search(r"\benviron\b(?!\.setdefault)|\bgetenv\b", path.read_text(encoding="utf-8"))
    }
    assert readers <= {"cli", "testing"}
