"""The memory type that docs/memory_types.md writes keeps the contract, and what the page says of others is so."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import hcs_core.testing
from hcs_core.arrays.step_function import declared

PAGE = (Path(__file__).parents[2] / "docs" / "memory_types.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def block(words):
    (found,) = (code for code in CODE if words in code)
    return found


@pytest.fixture
def tests(tmp_path, monkeypatch):
    """Write the page's plugin where Python finds it; return the folder of its tests."""
    package = tmp_path / "my_plugin"
    for folder in (package, tmp_path / "tests"):
        folder.mkdir()
    (package / "__init__.py").touch()
    for name in ("memory.py", "plugin.py"):
        (package / name).write_text(block(f"my_plugin/{name}"))
    (tmp_path / "tests" / "test_memory.py").write_text(block("tests/test_memory.py"))
    installed = tmp_path / "my_plugin-0.1.dist-info"
    installed.mkdir()
    metadata = ("Metadata-Version: 2.1", "Name: my-plugin", "Version: 0.1", "Requires-Dist: hcs-engine", "")
    (installed / "METADATA").write_text("\n".join(metadata))
    (installed / "entry_points.txt").write_text("[hcs_core]\nstrict = my_plugin.plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "tests"
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_plugin"]:
        del sys.modules[name]


def test_its_memory_type_keeps_the_contract(run, tests):
    found = run(tests)
    assert found.messages == []
    passed = {rule for rule, outcome in found.outcomes["TestMemoryTypes"].items() if outcome == "passed"}
    assert {"test_a_round_trip_is_exact", "test_a_cast_follows_the_one_policy", "test_asking_imports_no_library"} <= (
        passed
    )
    # Its kernels are compared with numpy's.
    assert {name for name in found.outcomes if "passed" in found.outcomes[name].values()} == {
        "TestPlugin", "TestMemoryTypes", "TestKernels",
    }  # fmt: skip


def made(words):
    """Return what a piece of the page's code makes, by name."""
    space = {}
    exec(block(words), space)  # noqa: S102 - the page's own code
    return space


def test_its_function_is_one_of_torch_that_brightens():
    brighten = made("def brighten")["brighten"]
    assert declared(brighten).memory_type == "torch"
    assert brighten(np.array([[1.0, 2.0]]), gain=3.0).tolist() == [[3.0, 6.0]]


def test_its_cards_are_two_of_which_one_fails_when_it_says():
    cards = made("class SmallCards")["SmallCards"]()
    assert cards.devices() == ("cuda:0", "cuda:1")
    plane = cards.from_host(np.zeros(10, np.uint8), "cuda:0")
    assert cards.free_bytes("cuda:0") == 1_000_000 - 10
    assert [cards.to_host(plane).size for _ in range(2)] == [10, 10]
    with pytest.raises(hcs_core.testing.FakeDeviceError, match="call 3 of to_host fails"):
        cards.to_host(plane)


def test_what_it_names_of_hcs_core_testing_is_there():
    named = set(
        re.findall(r"`(?:hcs_core\.testing\.)?((?:Memory|Converter|Kernel|Fake)\w*(?:Contract|Memory))`", PAGE)
    )
    assert {"ConverterContract", "KernelContract", "FakeDeviceMemory"} <= named <= set(hcs_core.testing.__all__)
