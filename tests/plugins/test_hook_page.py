"""Every hook is on the page docs/hooks.md with its exact signature, has an example that runs, and a case here."""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path
from types import ModuleType

import attrs
import pytest

from hcs_core import PluginManager
from hcs_core.plugins import hookspecs
from hcs_core.plugins.events import PlanCompiled, RunFinished, WellFinished
from hcs_core.plugins.kinds import KINDS
from hcs_core.plugins.staging import HOOKS

REPOSITORY = next(folder for folder in Path(__file__).parents if (folder / "hcs_core").is_dir())
PAGE = (REPOSITORY / "docs" / "hooks.md").read_text(encoding="utf-8")
DECLARATIONS = {
    "hcs_microscopes": "mine",
    "hcs_readers": "czi",
    "hcs_storage_backends": "hdf5",
    "hcs_memory_types": "mlx",
    "hcs_converters": "torch->mlx",
    "hcs_kernels": "subtract_offset/numpy",
    "hcs_stitchers": "mine",
    "hcs_writers": "parquet",
    "hcs_compiler_passes": "house_rules",
    "hcs_executors": "batch",
    "hcs_commands": "upload",
}
POLICIES = ("hcs_choose_microscope", "hcs_choose_device")
EVENTS = {
    "hcs_plan_compiled": (PlanCompiled(plate="p1", digest="abc", wells=("A01",), steps=("blur",)), "abc"),
    "hcs_event": (WellFinished(well="B02", status="failed", seconds=1.0, error="disk full"), ""),
    "hcs_run_finished": (RunFinished(plate="p1", status="partial", output="out"), "partial"),
}


def from_docstring(hook):
    """Execute the example of a hook's docstring; return what it defines, as a plugin."""
    parsed = doctest.DocTestParser().get_doctest(getattr(hookspecs, hook).__doc__, {}, hook, hookspecs.__file__, None)
    assert parsed.examples, f"{hook} has no example"
    results = doctest.DocTestRunner(verbose=False).run(parsed, clear_globs=False)
    assert results.failed == 0
    return _as_plugin(parsed.globs, hcs_api=1)


def from_page(hook):
    """Execute the example of a hook's section on the page; return it as a plugin."""
    names: dict[str, object] = {}
    exec(compile(blocks_of(hook)[1], f"docs/hooks.md {hook}", "exec"), names)  # noqa: S102 - our own page
    return _as_plugin(names)


def _as_plugin(names, **more):
    plugin = ModuleType("example")
    vars(plugin).update({name: value for name, value in names.items() if not name.startswith("__")}, **more)
    return plugin


def section_of(hook):
    found = re.search(rf"^### `{hook}`\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"docs/hooks.md has no section on {hook}"
    return found[1]


def blocks_of(hook):
    return re.findall(r"```python\n(.*?)```", section_of(hook), re.DOTALL)


def signatures():
    """Return `def hook(...) -> ...: ...` for every hook, from the source of hookspecs.py."""
    tree = ast.parse(Path(hookspecs.__file__).read_text(encoding="utf-8"))
    return {
        node.name: f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}: ...\n"
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def test_every_hook_has_a_case_here():
    assert set(HOOKS) == {*DECLARATIONS, *POLICIES, *EVENTS}
    assert set(HOOKS) == set(signatures())
    assert set(DECLARATIONS) == {kind.hook for kind in KINDS}


def test_the_page_has_no_other_hooks():
    assert re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE) == list(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_has_each_hook_with_its_exact_signature(hook):
    assert blocks_of(hook)[0] == signatures()[hook]
    assert "**Called.**" in section_of(hook)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_the_page_has_every_field_of_a_spec(kind):
    rows = re.findall(r"^\| `(\w+)` \|", section_of(kind.hook), re.MULTILINE)
    assert rows == [field.name for field in attrs.fields(kind.spec)]


@pytest.mark.parametrize("source", [from_docstring, from_page])
@pytest.mark.parametrize(("hook", "name"), DECLARATIONS.items())
def test_the_example_of_a_declaration_is_a_plugin_that_declares_it(source, hook, name):
    manager = PluginManager()
    word = hook.removeprefix("hcs_")
    record = manager.register(source(hook))
    assert record.provides == {word: (name,)}
    assert getattr(manager, word).get(name).target.startswith("my_package.")


@pytest.mark.parametrize("source", [from_docstring, from_page])
def test_the_example_of_choosing_a_microscope_chooses(source):
    manager = PluginManager(strict=True)
    manager.register(source("hcs_choose_microscope"))
    assert manager.choose_microscope(Path("plate"), ("opera", "imagexpress")) == "imagexpress"
    assert manager.choose_microscope(Path("plate"), ("opera", "pattern")) is None


@pytest.mark.parametrize("source", [from_docstring, from_page])
def test_the_example_of_choosing_a_device_chooses(source):
    manager = PluginManager(strict=True)
    manager.register(source("hcs_choose_device"))
    assert manager.choose_device("torch", ("cpu", "cuda:0")) == "cuda:0"


@pytest.mark.parametrize("source", [from_docstring, from_page])
@pytest.mark.parametrize("hook", EVENTS)
def test_the_example_of_an_event_hears_it(source, hook, capsys):
    event, fragment = EVENTS[hook]
    manager = PluginManager(strict=True)
    manager.register(source(hook))
    manager.emit(event)
    printed = capsys.readouterr().out
    assert printed.strip()
    assert fragment in printed


def test_the_examples_of_the_code_are_right():
    from hcs_core.plugins import manager

    results = doctest.testmod(manager)
    assert results.attempted > 0
    assert results.failed == 0
