"""A plugin is checked by itself before anything of it is registered."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest

from hcs_core import MicroscopeSpec, PluginError, ReaderSpec, hookimpl
from hcs_core.plugins import staging
from hcs_core.plugins.registry import Owner
from hcs_core.plugins.staging import stage

OWNER = Owner(plugin="mine", distribution="hcs-mine")
READER = ReaderSpec(name="tiff", target="a:b")


def test_what_a_plugin_declares_is_read(make_plugin):
    plugin = make_plugin(hcs_readers=[READER], hcs_microscopes=[])
    staged = stage(plugin, OWNER, "1.2")
    assert [(kind.word, spec) for kind, spec in staged.declared()] == [("readers", READER)]
    assert staged.provides() == {"readers": ("tiff",)}
    assert (staged.plugin, staged.owner, staged.version) == (plugin, OWNER, "1.2")


def test_an_object_of_a_class_is_a_plugin_too():
    class Plugin:
        hcs_api = 1

        @hookimpl
        def hcs_readers(self):
            return [READER]

        @hookimpl
        def hcs_event(self, event): ...

    staged = stage(Plugin(), OWNER, None)
    assert staged.provides() == {"readers": ("tiff",)}
    assert staged.has("hcs_event")
    assert not staged.has("hcs_run_finished")


def test_a_function_of_another_name_is_a_hook_where_it_says_so():
    plugin = SimpleNamespace(hcs_api=1, my_readers=hookimpl(specname="hcs_readers")(lambda: [READER]))
    assert stage(plugin, OWNER, None).provides() == {"readers": ("tiff",)}


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (None, r"does not say for which hooks .* add `hcs_api = 1`"),
        (2, "written for hcs_api = 2, and this hcs-engine accepts 1: install a newer hcs-engine"),
        (0, "written for hcs_api = 0, and this hcs-engine accepts 1: install a newer hcs-mine"),
        ("1", "says hcs_api = '1': write a whole number"),
        (1.0, "says hcs_api = 1.0: write a whole number"),
        (True, "says hcs_api = True: write a whole number"),
    ],
)
def test_another_number_is_refused_and_says_which_side_to_update(make_plugin, number, message):
    with pytest.raises(PluginError, match=message) as caught:
        stage(make_plugin(hcs_api=number), OWNER, None)
    assert "plugin 'mine' of hcs-mine" in str(caught.value)


def test_from_the_second_number_on_the_one_before_is_accepted(make_plugin, monkeypatch):
    monkeypatch.setattr(staging, "HCS_API", 7)
    monkeypatch.setattr(staging, "ACCEPTED", (6, 7))
    assert stage(make_plugin(hcs_api=6), OWNER, None).owner == OWNER
    with pytest.raises(PluginError, match="accepts 6 or 7: install a newer hcs-mine"):
        stage(make_plugin(hcs_api=5), OWNER, None)


def test_the_first_number_has_none_before():
    assert staging.HCS_API == 1
    assert staging.ACCEPTED == (1,)


@pytest.mark.parametrize("name", ["hcs_reader", "hsc_readers"])
def test_a_marked_function_of_an_unknown_name_is_refused(make_plugin, name):
    with pytest.raises(PluginError, match=rf"a hook '{name}', which does not exist\. Did you mean 'hcs_readers'\?"):
        stage(make_plugin(**{name: [READER]}), OWNER, None)


def test_an_unmarked_function_that_looks_like_a_hook_is_refused():
    module = ModuleType("unmarked")
    module.hcs_api = 1
    module.hcs_readers = lambda: [READER]
    with pytest.raises(PluginError, match="'hcs_readers' without the mark: write @hookimpl"):
        stage(module, OWNER, None)
    del module.hcs_readers
    module.hcs_reader = lambda: [READER]
    with pytest.raises(PluginError, match=r"'hcs_reader', which does not exist\. Did you mean 'hcs_readers'"):
        stage(module, OWNER, None)


def test_an_import_of_a_package_that_is_called_like_a_hook_is_none(make_plugin):
    import hcs_core

    plugin = make_plugin(hcs_readers=[READER])
    plugin.hcs_core = hcs_core
    assert stage(plugin, OWNER, None).provides() == {"readers": ("tiff",)}


def test_a_hook_of_a_later_core_may_be_marked_as_optional():
    module = ModuleType("ahead")
    module.hcs_api = 1
    module.hcs_hologram_makers = hookimpl(optionalhook=True)(lambda: [READER])
    assert stage(module, OWNER, None).provides() == {}


def test_wrong_arguments_are_refused(make_plugin):
    with pytest.raises(PluginError, match=r"wrong arguments .*'manager'.* as in docs/hooks\.md"):
        stage(make_plugin(hcs_readers=lambda manager: [manager]), OWNER, None)


def test_a_wrapper_is_refused():
    def hcs_event(event):
        return (yield)

    plugin = SimpleNamespace(hcs_api=1, hcs_event=hookimpl(wrapper=True)(hcs_event))
    with pytest.raises(PluginError, match="'hcs_event' as a wrapper, which nothing here calls"):
        stage(plugin, OWNER, None)


def raises():
    raise OSError("no such instrument")


def exits():
    raise SystemExit(4)


def asserts():
    yield READER
    assert not READER, "half way"


@pytest.mark.parametrize(
    ("hook", "cause"),
    [
        (raises, "OSError: no such instrument"),
        (exits, "SystemExit: 4"),
        (asserts, "AssertionError: half way"),
        (lambda: READER, "TypeError"),
        (lambda: [ReaderSpec(name="Bad", target="a:b")], "ValueError: name='Bad'"),
    ],
)
def test_a_hook_that_raises_is_refused_with_what_it_raised(make_plugin, hook, cause):
    with pytest.raises(PluginError) as caught:
        stage(make_plugin(hcs_readers=hook), OWNER, None)
    text = str(caught.value)
    assert text.startswith(f"the hook hcs_readers of plugin 'mine' of hcs-mine raised {cause}")
    assert "it must yield ReaderSpec" in text
    assert "HCS_DISABLE=mine" in text
    assert caught.value.__cause__ is not None


def test_a_hook_that_forgot_to_yield_is_refused(make_plugin):
    with pytest.raises(PluginError, match="returns None: let it yield ReaderSpec"):
        stage(make_plugin(hcs_readers=lambda: None), OWNER, None)


@pytest.mark.parametrize("wrong", [[MicroscopeSpec(name="m", target="a:b", markers=())], "tiff", [None], {"a": 1}])
def test_something_else_than_the_spec_is_refused(make_plugin, wrong):
    with pytest.raises(PluginError, match=f"yields {type(next(iter(wrong))).__name__}: let it yield ReaderSpec"):
        stage(make_plugin(hcs_readers=wrong), OWNER, None)


def test_one_name_twice_is_refused(make_plugin):
    with pytest.raises(PluginError, match="declares the reader 'tiff' twice: give each its own name"):
        stage(make_plugin(hcs_readers=[READER, ReaderSpec(name="tiff", target="c:d")]), OWNER, None)


def test_a_faulty_plugin_of_the_program_is_not_told_to_be_disabled(make_plugin):
    with pytest.raises(PluginError, match="mend it where the program registers it") as caught:
        stage(make_plugin(hcs_readers=raises), Owner(plugin="ours"), None)
    assert "HCS_DISABLE" not in str(caught.value)


@pytest.mark.parametrize("attribute", ["hcs_api", "hcs_setting"])
def test_an_object_that_raises_where_it_is_looked_at_is_refused(attribute):
    def refuse(_self):
        raise OSError("not connected")

    class Plugin:
        hcs_api = 1

    setattr(Plugin, attribute, property(refuse))
    with pytest.raises(
        PluginError, match=r"plugin 'mine' of hcs-mine cannot be looked at \(OSError: not connected\)"
    ):
        stage(Plugin(), OWNER, None)
