"""One broken plugin stops neither the others nor the engine, and its record says what, whose and what to do.

The cases run twice: with the distributions as folders on a path, metadata written by hand (in every run), and
installed as wheels into an environment of their own (marker `environments`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from hcs_core import PluginError, PluginManager

HERE = Path(__file__).parent
BROKEN = HERE.parent / "broken_distributions"
NAMES = tuple(sorted(path.parent.name for path in BROKEN.glob("*/pyproject.toml")))
READERS = ("neighbour", "without_module", "with_module", "beside_a_listener", "twin", "only_of_one")
REFUSED = {
    "raises_on_import": (
        "fails when it is imported (RuntimeError: the library of this instrument is not licensed here)",
        "HCS_DISABLE=raises_on_import",
    ),
    "exits_on_import": (
        "exits when it is imported (SystemExit: this instrument needs another machine)",
        "HCS_DISABLE=exits_on_import",
    ),
    "asserts_on_import": (
        "fails when it is imported (AssertionError: the driver is too old",
        "HCS_DISABLE=asserts_on_import",
    ),
    "other_api": ("written for hcs_api = 99, and this hcs-engine accepts 1", "install a newer hcs-engine"),
    "misspells_a_hook": ("has a hook 'hcs_reader', which does not exist", "Did you mean 'hcs_readers'?"),
    "hook_raises": ("raised OSError: the list of formats cannot be read", "HCS_DISABLE=hook_raises"),
    "twin_one": ("the reader 'twin' is declared by", "HCS_DISABLE=twin_one"),
    "twin_two": ("the reader 'twin' is declared by", "HCS_DISABLE=twin_one"),
}
LATER = {"target_missing", "listener_raises"}
GOOD = {"good_neighbour", "sleeper"}
# What is installed beside these tests is none of their business, and takes time to import.
BESIDE = tuple(sorted({entry.name for entry in entry_points(group="hcs_core")} - set(NAMES)))


class World:
    """An interpreter beside which the broken distributions are installed."""

    def __init__(self, python, scratch, path=None):
        self._python = python
        self._scratch = scratch
        self.path = path
        self._reports = {}

    def report(self, *arguments, disabled=""):
        """Run `report_plugins.py` there, once for the same question; `imported` says whether the sleeper was."""
        question = (arguments, disabled)
        if question not in self._reports:
            self._reports[question] = self._ask(arguments, disabled, self._scratch / f"trace_{len(self._reports)}")
        return self._reports[question]

    def _ask(self, arguments, disabled, trace):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= {"HCS_DISABLE": ",".join((disabled, *BESIDE)), "HCS_TEST_TRACE": str(trace)}
        if self.path:
            environment["PYTHONPATH"] = str(self.path)
        done = subprocess.run(
            [self._python, str(HERE / "report_plugins.py"), *arguments],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return {**json.loads(done.stdout), "imported": trace.exists()}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """The distributions on a path: their modules, and what an installer would have written beside them."""
    path = tmp_path_factory.mktemp("broken")
    for name in NAMES:
        project = tomllib.loads((BROKEN / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for module in (BROKEN / name).glob("*.py"):
            (path / module.name).write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
        info = path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
        )
        lines = [f"{key} = {value}" for key, value in project["entry-points"]["hcs_core"].items()]
        (info / "entry_points.txt").write_text("\n".join(["[hcs_core]", *lines, ""]), encoding="utf-8")
    return World(sys.executable, tmp_path_factory.mktemp("traces"), path)


@pytest.fixture(scope="session")
def wheels(make_environment, archives, tmp_path_factory):
    """The engine's wheel and those of the broken distributions in an environment of their own."""
    environment = make_environment("broken_wheels")
    (engine,) = archives.glob("hcs_engine-*.whl")
    environment.install(engine, *(BROKEN / name for name in NAMES))
    return World(str(environment.python), tmp_path_factory.mktemp("traces"))


@pytest.fixture(params=["folders", pytest.param("wheels", marks=pytest.mark.environments)])
def world(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def forget_modules():
    """Forget the modules of plugins that a test imported in this process."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("hcs_") and name.partition(".")[0] != "hcs_core":
            del sys.modules[name]


def by_name(records):
    return {record["name"]: record for record in records}


def test_there_is_a_distribution_for_each_case():
    assert set(NAMES) == {*REFUSED, *LATER, *GOOD}


def test_each_record_says_what_whose_and_what_to_do(world):
    records = by_name(world.report(*READERS)["found"])
    for name, fragments in REFUSED.items():
        record = records[name]
        assert (record["status"], record["distribution"], record["version"], record["provides"]) == (
            "failed", f"hcs-{name.replace('_', '-')}", "0.3.0", {},
        ), name  # fmt: skip
        for fragment in (*fragments, f"plugin '{name}' of {record['distribution']}"):
            assert fragment in record["error"], name


def test_of_two_that_declare_one_name_both_records_name_both(world):
    records = by_name(world.report(*READERS)["found"])
    for name in ("twin_one", "twin_two"):
        assert "plugin 'twin_one' of hcs-twin-one" in records[name]["error"]
        assert "plugin 'twin_two' of hcs-twin-two" in records[name]["error"]


def test_all_others_work(world):
    report = world.report(*READERS)
    records = by_name(report["found"])
    assert "raised" not in report
    assert {name for name in (*NAMES, "core") if records[name]["status"] == "ok"} == {*LATER, *GOOD, "core"}
    assert records["good_neighbour"]["provides"] == {"readers": ["neighbour"]}
    assert report["loads"]["neighbour"] == "loaded"
    assert report["imported"]


def test_the_name_of_two_is_nobodys_and_the_error_says_why(world):
    loads = world.report(*READERS)["loads"]
    for name, twins in {"twin": ("twin_one", "twin_two"), "only_of_one": ("twin_one",)}.items():
        assert loads[name].startswith(f"no reader is called '{name}'.")
        assert "neighbour" in loads[name]
        for twin in twins:
            assert f"The plugin '{twin}' of hcs-{twin.replace('_', '-')} declares it and failed:" in loads[name]


def test_disabling_one_of_two_gives_the_name_to_the_other(world):
    report = world.report(*READERS, disabled="twin_one")
    records = by_name(report["found"])
    assert records["twin_one"]["status"] == "disabled"
    assert records["twin_two"]["status"] == "ok"
    assert report["loads"]["twin"] == "loaded"
    assert report["loads"]["only_of_one"].startswith("no reader is called 'only_of_one'.")
    assert "twin_one (disabled)" in report["loads"]["only_of_one"]


def test_a_target_that_does_not_import_shows_on_use_and_the_plugins_other_target_works(world):
    report = world.report(*READERS)
    found, used = by_name(report["found"])["target_missing"], by_name(report["used"])["target_missing"]
    assert found["status"] == "ok"
    assert report["loads"]["with_module"] == "loaded"
    assert used["status"] == "failed"
    assert used["error"] == report["loads"]["without_module"]
    for fragment in (
        "the reader 'without_module' of plugin 'target_missing' of hcs-target-missing",
        "No module named 'hcs_target_missing_pixels'",
        "HCS_DISABLE=target_missing",
    ):
        assert fragment in used["error"]
    for key in ("distribution", "version", "provides"):
        assert used[key] == found[key]


def test_a_listener_that_raises_is_recorded_and_its_plugin_works_on(world):
    report = world.report(*READERS)
    found, used = by_name(report["found"])["listener_raises"], by_name(report["used"])["listener_raises"]
    assert (found["status"], used["status"]) == ("ok", "failed")
    assert (used["distribution"], used["version"]) == ("hcs-listener-raises", "0.3.0")
    assert used["provides"] == {"readers": ["beside_a_listener"]}
    assert report["loads"]["beside_a_listener"] == "loaded"
    for fragment in ("listener hcs_event", "ConnectionError: nobody answers to RunStarted", "hcs-listener-raises"):
        assert fragment in used["error"]


def test_only_those_that_fail_on_use_change(world):
    report = world.report(*READERS)
    found, used = by_name(report["found"]), by_name(report["used"])
    assert {name for name in found if found[name] != used[name]} == LATER


@pytest.mark.parametrize("disabled", ["sleeper", "sleeper,twin_one,nobody"])
def test_what_is_disabled_is_never_imported(world, disabled):
    report = world.report(*READERS, "--check", disabled=disabled)
    record = by_name(report["used"])["sleeper"]
    assert (record["status"], record["error"], record["provides"]) == ("disabled", None, {})
    assert (record["distribution"], record["version"]) == ("hcs-sleeper", "0.3.0")
    assert report["checks"]["sleeper"] == ["plugin 'sleeper' is disabled: nothing of it is imported."]
    assert not report["imported"]


def test_check_says_of_each_plugin_what_is_wrong(world):
    checks = world.report("--check")["checks"]
    assert checks["good_neighbour"] == []
    (target,) = checks["target_missing"]
    assert "without_module" in target
    for name, fragments in REFUSED.items():
        (reason,) = checks[name]
        assert fragments[0] in reason


def test_strict_raises_at_the_first_faulty_plugin(world):
    raised = world.report("--strict")["raised"]
    assert any(raised.count(fragments[0]) for fragments in REFUSED.values())


@pytest.mark.parametrize("name", REFUSED)
def test_strict_raises_at_each_kind_of_fault(world, name):
    kept = {name, *(("twin_one", "twin_two") if name.startswith("twin") else ())}
    others = ",".join(other for other in NAMES if other not in kept)
    assert REFUSED[name][0] in world.report("--strict", disabled=others)["raised"]


def test_strict_is_content_where_all_is_well(world):
    others = ",".join(REFUSED)
    report = world.report("--strict", "neighbour", disabled=f"{others},listener_raises")
    assert "raised" not in report
    assert report["loads"] == {"neighbour": "loaded"}


def test_discovering_again_changes_nothing(monkeypatch, folders):
    monkeypatch.syspath_prepend(folders.path)
    manager = PluginManager(disabled=[*BESIDE, *(name for name in NAMES if name != "good_neighbour")])
    manager.discover()
    before = manager.records()
    manager.discover()
    assert manager.records() == before
    assert manager.readers.owner("neighbour").distribution == "hcs-good-neighbour"


def test_a_plugin_of_the_program_keeps_its_name_and_what_it_declares(monkeypatch, folders):
    from types import SimpleNamespace

    from hcs_core import ReaderSpec, hookimpl

    monkeypatch.syspath_prepend(folders.path)
    others = [name for name in NAMES if name not in {"good_neighbour", "hook_raises"}]
    readers = hookimpl(lambda: [ReaderSpec(name="neighbour", target="json:dumps")])
    manager = PluginManager(disabled=[*BESIDE, *others])
    manager.register(SimpleNamespace(hcs_api=1, hcs_readers=readers), name="ours")
    manager.register(SimpleNamespace(hcs_api=1), name="hook_raises")
    manager.discover()
    assert manager.readers.owner("neighbour").plugin == "ours"
    failed = {record.name: record for record in manager.records() if record.status == "failed"}
    assert set(failed) == {"good_neighbour", "hook_raises"}
    assert "is already declared by plugin 'ours'" in failed["good_neighbour"].error
    assert "the name of plugin 'hook_raises' of hcs-hook-raises is taken by plugin 'hook_raises'" in (
        failed["hook_raises"].error
    )
    assert [record.status for record in manager.records() if record.name == "hook_raises"] == ["ok", "failed"]


def test_one_module_under_two_names_is_registered_once(monkeypatch, tmp_path):
    info = tmp_path / "hcs_doubled-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hcs-doubled\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hcs_core]\ndoubled = hcs_doubled\nonce_more = hcs_doubled\n")
    (tmp_path / "hcs_doubled.py").write_text("hcs_api = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    manager = PluginManager(disabled=BESIDE)
    manager.discover()
    records = {record.name: record for record in manager.records()}
    assert records["doubled"].status == "ok"
    assert records["once_more"].status == "failed"
    assert "'once_more' of hcs-doubled is the same module or object as plugin 'doubled'" in records["once_more"].error


def test_two_distributions_that_call_their_plugin_alike_are_both_out(monkeypatch, tmp_path):
    for name in ("hcs-first", "hcs-second"):
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[hcs_core]\nsame = a_module_that_is_not_asked_for\n")
    monkeypatch.syspath_prepend(tmp_path)
    manager = PluginManager(disabled=BESIDE)
    manager.discover()
    records = [record for record in manager.records() if record.name == "same"]
    assert [(record.distribution, record.status) for record in records] == [
        ("hcs-first", "failed"),
        ("hcs-second", "failed"),
    ]
    for record in records:
        assert "two installed plugins are called 'same', those of hcs-first and hcs-second" in record.error
    with pytest.raises(PluginError, match="two installed plugins are called 'same'"):
        PluginManager(disabled=BESIDE, strict=True).discover()
