"""The manager registers whole plugins or nothing of them, and knows what became of each."""

from __future__ import annotations

import gc
import weakref

import pytest

from hcs_core import (
    ExecutorSpec,
    KernelSpec,
    MicroscopeSpec,
    Parameter,
    PluginError,
    PluginManager,
    ReaderSpec,
    Signature,
    UnknownNameError,
    __version__,
)
from hcs_core.plugins.events import RunFinished
from hcs_core.plugins.kinds import KINDS

GOOD = "json:loads"
GONE = "a_module_that_nobody_has:Reader"


@pytest.fixture
def manager():
    return PluginManager()


def snapshot(manager):
    """Everything that can be seen of a manager."""
    return manager.records(), [(kind.word, list(registry)) for kind, registry in manager.registries()]


def kernel(memory_type="numpy", **signature):
    return KernelSpec(
        operation="blur",
        memory_type=memory_type,
        target=GOOD,
        signature=Signature(axes="yx", out="yx", **signature),
    )


def test_the_core_registers_what_it_brings_through_its_own_hooks(manager):
    (record,) = manager.records()
    assert (record.name, record.distribution, record.version) == ("core", "hcs-engine", __version__)
    assert record.status == "ok"
    assert set(record.provides) == {"commands", "compiler_passes", "executors", "memory_types", "writers"}
    assert record.provides["compiler_passes"] == ("paths", "stores", "materialization", "memory", "devices")
    assert manager.executors.owner("local").plugin == "core"


def test_there_is_a_registry_for_each_kind_under_its_word(manager):
    assert [kind for kind, _ in manager.registries()] == list(KINDS)
    for kind, registry in manager.registries():
        assert getattr(manager, kind.word) is registry
        assert registry.kind is kind


def test_a_plugin_of_the_program_is_registered(manager, make_plugin):
    record = manager.register(make_plugin("ours", hcs_readers=[ReaderSpec(name="mine", target=GOOD)]))
    assert record in manager.records()
    assert (record.name, record.distribution, record.status) == ("ours", None, "ok")
    assert record.provides == {"readers": ("mine",)}
    assert manager.readers.owner("mine").plugin == "ours"


def test_a_plugin_is_called_as_the_program_says_or_else_after_its_class(manager):
    class Ours:
        hcs_api = 1

    assert manager.register(Ours()).name == "Ours"
    assert manager.register(Ours(), name="second").name == "second"


def test_a_plugin_is_registered_whole_or_not_at_all(manager, make_plugin):
    heard = []

    def hcs_event(event):
        heard.append(event)

    before = snapshot(manager)
    plugin = make_plugin(
        hcs_microscopes=[MicroscopeSpec(name="new", target=GOOD, markers=("*.new",))],
        hcs_executors=[ExecutorSpec(name="local", target=GOOD)],
        hcs_event=hcs_event,
    )
    with pytest.raises(PluginError, match="'local' of plugin 'made_up' is already declared by plugin 'core'"):
        manager.register(plugin)
    assert snapshot(manager) == before
    manager.emit(RunFinished(plate="p", status="ok", output="o"))
    assert heard == []
    # The name is free again, and so is the object.
    del plugin.hcs_executors
    assert manager.register(plugin).provides == {"microscopes": ("new",)}
    manager.emit(RunFinished(plate="p", status="ok", output="o"))
    assert len(heard) == 1


@pytest.mark.parametrize(
    "hooks",
    [
        {"hcs_api": 9},
        {"hcs_reader": []},
        {"hcs_readers": lambda wrong: wrong},
        {"hcs_readers": lambda: None},
        {"hcs_readers": [ReaderSpec(name="a", target=GOOD)] * 2},
    ],
)
def test_a_faulty_plugin_leaves_nothing(manager, make_plugin, hooks):
    before = snapshot(manager)
    with pytest.raises(PluginError):
        manager.register(make_plugin(**hooks))
    assert snapshot(manager) == before


def test_a_taken_name_is_refused_before_anything_is_done(manager, make_plugin):
    asked = []

    def hcs_readers():
        asked.append(1)
        return ()

    manager.register(make_plugin("ours"))
    before = snapshot(manager)
    with pytest.raises(PluginError, match="the name of plugin 'ours' is taken by plugin 'ours'"):
        manager.register(make_plugin("ours", hcs_readers=hcs_readers))
    with pytest.raises(PluginError, match="taken by plugin 'core' of hcs-engine"):
        manager.register(make_plugin("core", hcs_readers=hcs_readers))
    assert snapshot(manager) == before
    assert asked == []


def test_one_object_is_registered_once(manager, make_plugin):
    plugin = make_plugin("ours")
    manager.register(plugin)
    with pytest.raises(PluginError, match="'again' is the same module or object as plugin 'ours'"):
        manager.register(plugin, name="again")


def test_kernels_of_one_operation_share_their_signature(manager, make_plugin):
    sigma = (Parameter(name="sigma", kind="float", default=1.0),)
    manager.register(make_plugin("one", hcs_kernels=[kernel("numpy", parameters=sigma)]))
    with pytest.raises(PluginError) as caught:
        manager.register(make_plugin("two", hcs_kernels=[kernel("torch")]))
    text = str(caught.value)
    assert "'blur/torch' of plugin 'two' has another signature (parameters) than 'blur/numpy' of plugin 'one'" in text
    assert manager.kernels.names() == ("blur/numpy",)
    manager.register(make_plugin("three", hcs_kernels=[kernel("torch", parameters=sigma)]))
    assert manager.kernels.names() == ("blur/numpy", "blur/torch")


def test_a_plugins_own_kernels_share_their_signature_too(manager, make_plugin):
    with pytest.raises(PluginError, match=r"another signature \(out_dtype\)"):
        manager.register(make_plugin(hcs_kernels=[kernel("numpy"), kernel("torch", out_dtype="float32")]))


def test_two_managers_do_not_know_of_each_other(make_plugin):
    one, other = PluginManager(), PluginManager()
    plugin = make_plugin("ours", hcs_readers=[ReaderSpec(name="mine", target=GONE)])
    one.register(plugin)
    assert "mine" not in other.readers
    other.register(plugin, name="theirs")
    with pytest.raises(PluginError):
        one.readers.load("mine")
    assert [record.status for record in one.records()] == ["ok", "failed"]
    assert [record.status for record in other.records()] == ["ok", "ok"]


def test_nothing_holds_a_manager_that_nobody_needs():
    manager = PluginManager()
    seen = weakref.ref(manager)
    del manager
    gc.collect()
    assert seen() is None


def test_the_fault_of_a_target_is_recorded_and_the_others_work(manager, make_plugin):
    readers = [ReaderSpec(name="gone", target=GONE), ReaderSpec(name="there", target=GOOD)]
    manager.register(make_plugin("ours", hcs_readers=readers))
    with pytest.raises(PluginError, match="the reader 'gone' of plugin 'ours' cannot be used") as caught:
        manager.readers.load("gone")
    record = manager.records()[1]
    assert (record.name, record.status, record.error) == ("ours", "failed", str(caught.value))
    assert record.provides == {"readers": ("gone", "there")}
    assert "ModuleNotFoundError" in record.traceback
    assert callable(manager.readers.load("there"))
    assert manager.records()[1] == record


def test_of_several_faults_the_first_stays(manager, make_plugin):
    specs = [ReaderSpec(name=name, target=f"nobody_has_{name}:x") for name in ("first", "second")]
    manager.register(make_plugin("ours", hcs_readers=specs))
    for name in ("first", "second"):
        with pytest.raises(PluginError):
            manager.readers.load(name)
    assert "'first'" in manager.records()[1].error


def test_check_imports_every_target_and_says_which_fail(manager, make_plugin):
    plugin = make_plugin(
        "ours",
        hcs_readers=[ReaderSpec(name="gone", target=GONE), ReaderSpec(name="there", target=GOOD)],
        hcs_microscopes=[MicroscopeSpec(name="mine", target=GOOD, markers=(), layout_writer="json:nobody")],
    )
    manager.register(plugin)
    microscope, reader = manager.check("ours")
    assert "the microscope 'mine'" in microscope
    assert "json:nobody" in microscope
    assert "the reader 'gone'" in reader
    assert manager.records()[1].status == "failed"


def test_check_of_what_is_in_order_says_nothing(manager, make_plugin):
    manager.register(make_plugin("ours", hcs_readers=[ReaderSpec(name="there", target=GOOD)]))
    assert manager.check("ours") == ()


def test_check_of_an_unknown_plugin_is_an_error(manager):
    with pytest.raises(
        UnknownNameError, match=r"no plugin is called 'cor'\. Did you mean 'core'\? Installed: core\."
    ):
        manager.check("cor")


def test_disabled_is_a_collection_of_names():
    with pytest.raises(PluginError, match=r"disabled=\('zarr',\)"):
        PluginManager(disabled="zarr")


def test_records_are_listed_with_the_core_first_and_then_by_name(manager, make_plugin):
    for name in ("zebra", "ant"):
        manager.register(make_plugin(name))
    assert [record.name for record in manager.records()] == ["core", "ant", "zebra"]


def test_a_record_prints_as_the_command_line_says(manager, make_plugin):
    manager.register(make_plugin("ours", hcs_readers=[ReaderSpec(name="mine", target=GOOD)]))
    assert manager.records()[1].to_json() == {
        "name": "ours",
        "distribution": None,
        "version": None,
        "status": "ok",
        "provides": {"readers": ["mine"]},
        "error": None,
    }


def test_a_recipe_makes_a_manager_of_the_same_content_elsewhere(make_plugin):
    parent = PluginManager(disabled=("sleeper", "zarr"))
    parent.register(make_plugin("ours", hcs_readers=[ReaderSpec(name="mine", target=GOOD)]), name="renamed")

    def listen(event): ...

    parent.register(make_plugin("listener", hcs_event=listen))
    recipe = parent.recipe()
    assert recipe.disabled == ("sleeper", "zarr")
    assert [name for name, _ in recipe.program] == ["renamed"]
    assert recipe.discover is False
    worker = PluginManager.from_recipe(recipe)
    assert [(kind, list(registry)) for kind, registry in worker.registries()] == [
        (kind, list(registry)) for kind, registry in parent.registries()
    ]
    assert worker.readers.owner("mine") == parent.readers.owner("mine")


def test_a_recipe_says_whether_to_discover(monkeypatch):
    from hcs_core.plugins import discovery

    calls = []

    def installed_plugins():
        calls.append(1)
        return ()

    monkeypatch.setattr(discovery, "installed_plugins", installed_plugins)
    parent = PluginManager()
    parent.discover()
    assert parent.recipe().discover is True
    PluginManager.from_recipe(parent.recipe())
    assert len(calls) == 2
