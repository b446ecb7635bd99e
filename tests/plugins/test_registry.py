"""A registry gives what is registered, and says what to do where it is not."""

from __future__ import annotations

import sys
import textwrap

import pytest

from hcs_core import PluginError, ReaderSpec, UnknownNameError
from hcs_core.plugins.kinds import KINDS
from hcs_core.plugins.registry import Owner, Registry

READERS = next(kind for kind in KINDS if kind.word == "readers")
OWNER = Owner(plugin="mine", distribution="hcs-mine")


@pytest.fixture
def faults():
    return []


@pytest.fixture
def registry(faults):
    registry = Registry(READERS, lambda owner, error: faults.append((owner, error)), lambda _kind, _name: " ABSENT.")
    for name, target in (("tiff", "json:loads"), ("czi", "json:decoder.JSONDecoder.decode")):
        registry.add(ReaderSpec(name=name, target=target), OWNER)
    return registry


@pytest.fixture
def module_on_path(tmp_path, monkeypatch):
    """Return a maker of importable modules."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(name, source):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        made.append(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


def test_it_lists_what_it_has_by_name(registry):
    assert registry.names() == ("czi", "tiff")
    assert [spec.name for spec in registry] == ["czi", "tiff"]
    assert len(registry) == 2
    assert "tiff" in registry
    assert "zarr" not in registry
    assert registry.get("tiff").target == "json:loads"
    assert registry.owner("tiff") == OWNER


def test_load_imports_the_target_and_its_attributes(registry):
    import json

    assert registry.load("tiff") is json.loads
    assert registry.load("czi") is json.decoder.JSONDecoder.decode


def test_an_unknown_name_says_what_was_meant_what_is_there_and_what_to_install(registry):
    with pytest.raises(UnknownNameError) as caught:
        registry.get("tif")
    text = str(caught.value)
    assert text.startswith("no reader is called 'tif'. Did you mean 'tiff'? Installed: czi, tiff. ABSENT.")
    assert "pip install 'hcs-engine[standard]'" in text
    assert "`hcs plugins`" in text


def test_a_name_that_is_like_nothing_has_no_suggestion(registry):
    for ask in (registry.get, registry.owner, registry.load):
        with pytest.raises(UnknownNameError, match=r"called 'nd2'\. Installed: czi, tiff\."):
            ask("nd2")


def test_an_empty_registry_says_none():
    empty = Registry(READERS, lambda *_: None, lambda *_: "")
    with pytest.raises(UnknownNameError, match=r"Installed: none\. Install the plugin"):
        empty.get("tiff")


def test_a_name_is_added_once(registry):
    other = Owner(plugin="yours", distribution="hcs-yours")
    with pytest.raises(PluginError, match="of plugin 'yours' of hcs-yours is already declared by plugin 'mine'"):
        registry.add(ReaderSpec(name="tiff", target="a:b"), other)
    assert registry.owner("tiff") == OWNER


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import a_library_that_nobody_has", "ModuleNotFoundError: No module named 'a_library_that_nobody_has'"),
        ("raise SystemExit('no licence')", "SystemExit: no licence"),
        ("assert False, 'too old'", "AssertionError: too old"),
        ("", "AttributeError: module 'faulty_target' has no attribute 'Reader'"),
    ],
)
def test_the_fault_of_a_target_is_told_and_raised(registry, faults, module_on_path, source, cause):
    module_on_path("faulty_target", source)
    registry.add(ReaderSpec(name="faulty", target="faulty_target:Reader"), OWNER)
    with pytest.raises(PluginError) as caught:
        registry.load("faulty")
    assert faults == [(OWNER, caught.value)]
    text = str(caught.value)
    assert cause in text
    assert "the reader 'faulty' of plugin 'mine' of hcs-mine" in text
    assert "reinstall or update hcs-mine, or disable it with HCS_DISABLE=mine" in text
    assert caught.value.__cause__ is not None


def test_a_target_is_imported_once_and_a_fault_is_tried_again(registry, module_on_path, tmp_path):
    registry.add(ReaderSpec(name="late", target="late_target:Reader"), OWNER)
    with pytest.raises(PluginError, match="No module named 'late_target'"):
        registry.load("late")
    module_on_path("late_target", f"""
        with open({str(tmp_path / "imports")!r}, "a") as log:
            log.write("x")
        class Reader: ...
    """)  # fmt: skip
    import importlib

    importlib.invalidate_caches()
    assert registry.load("late") is registry.load("late")
    assert (tmp_path / "imports").read_text() == "x"


def test_ctrl_c_while_a_target_is_imported_is_no_fault(registry, faults, module_on_path):
    module_on_path("interrupted_target", "raise KeyboardInterrupt")
    registry.add(ReaderSpec(name="slow", target="interrupted_target:Reader"), OWNER)
    with pytest.raises(KeyboardInterrupt):
        registry.load("slow")
    assert faults == []


@pytest.mark.parametrize(
    ("owner", "whose", "way_out"),
    [
        (OWNER, "plugin 'mine' of hcs-mine", "HCS_DISABLE=mine"),
        (Owner(plugin="mine"), "plugin 'mine'", "where the program registers it"),
        (Owner(plugin="core", distribution="hcs-engine"), "plugin 'core' of hcs-engine", "reinstall hcs-engine"),
    ],
)
def test_an_owner_says_whose_it_is_and_what_to_do(owner, whose, way_out):
    assert str(owner) == whose
    assert owner.way_out.endswith(way_out)
