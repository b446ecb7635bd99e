"""What hcs_core.testing shows: a flat face whose names are imported on first use, and what each asks for."""

import ast
import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import hcs_core.testing
from hcs_core import PluginError, UnknownNameError
from hcs_core.testing import fakes, hcs_manager  # noqa: F401 - as a conftest.py does

FACE = Path(hcs_core.testing.__file__)


def in_a_fresh_interpreter(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_type_checkers_and_the_running_program_see_the_same_names():
    tree = ast.parse(FACE.read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {(item.module, name.asname) for item in checked.body for name in item.names}
    assert seen == {(module, name) for name, module in hcs_core.testing._HOMES.items()}
    assert sorted(hcs_core.testing.__all__) == dir(hcs_core.testing) == sorted((*hcs_core.testing._HOMES, "fakes"))
    for name in hcs_core.testing.__all__:
        assert getattr(hcs_core.testing, name) is not None


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="has no attribute 'StoreContract'"):
        hcs_core.testing.StoreContract  # noqa: B018 - that it raises is what is tested


def test_importing_the_face_brings_in_nothing():
    code = (
        "import json, sys; before = set(sys.modules); import hcs_core.testing; dir(hcs_core.testing);"
        "added = {name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names;"
        "print(json.dumps(sorted(added)))"
    )
    assert in_a_fresh_interpreter(code) == ["hcs_core"]


def test_without_pytest_the_fakes_are_there_and_the_contracts_say_what_to_install():
    code = """
import json, sys
sys.modules["pytest"] = None
from hcs_core.testing import FakeBackend, FakeMicroscope, fakes, make_plate
said = {}
for name in ("PluginContract", "KernelContract", "hcs_manager"):
    try:
        exec(f"from hcs_core.testing import {name}")
    except ModuleNotFoundError as error:
        said[name] = str(error)
print(json.dumps(said))
"""
    assert in_a_fresh_interpreter(code) == {
        name: f"hcs_core.testing.{name} is for tests with pytest, which is not installed: pip install pytest."
        for name in ("PluginContract", "KernelContract", "hcs_manager")
    }


@pytest.mark.parametrize("name", sorted(hcs_core.testing._NAMES))
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(f"hcs_core.testing.{name}")
    assert doctest.testmod(module).failed == 0


def test_the_manager_has_the_core_alone_and_takes_what_it_is_given(hcs_manager):  # noqa: F811
    assert [record.name for record in hcs_manager.records()] == ["core"]
    hcs_manager.register(fakes)
    assert hcs_manager.readers.names() == ("fake",)


def test_the_manager_says_how_to_add_a_plugin(hcs_manager):  # noqa: F811
    how = r"Add a plugin to hcs_manager with hcs_manager\.register\(my_package\.plugin\)\."
    with pytest.raises(PluginError, match=f"does not discover what is installed. {how}"):
        hcs_manager.discover()
    with pytest.raises(UnknownNameError, match=how):
        hcs_manager.readers.get("tiff")
