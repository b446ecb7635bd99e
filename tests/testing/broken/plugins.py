"""Plugins that each break one rule of `PluginContract`: modules and distributions, written to disk."""

import sys

import pytest

from hcs_core.testing import PluginContract

SOURCE = """
from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers():
    yield ReaderSpec(name="{name}", target="hcs_core.testing.fakes.planes:FakeReader", summary="a reader")
"""
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\nRequires-Dist: hcs-engine>=0.1\n"
COUNTS = "import itertools\nCOUNT = itertools.count()\n"
FAKE_READER = "hcs_core.testing.fakes.planes:FakeReader"

BROKEN = {
    "breaks_nothing": (None, "", ""),
    "raises_on_import": ("test_its_module_imports", "hcs_api = 1", "raise RuntimeError('no licence')"),
    "exits_on_import": ("test_its_module_imports", "hcs_api = 1", "raise SystemExit(3)"),
    "is_heavy": ("test_importing_and_listing_it_brings_in_nothing_heavy", "hcs_api = 1", "import numpy; hcs_api = 1"),
    "is_of_the_future": ("test_it_says_for_which_hooks_it_was_written", "hcs_api = 1", "hcs_api = 99"),
    "forgets_a_mark": ("test_it_registers_whole", "@hookimpl\n", "\n"),
    "changes_its_mind": (
        "test_it_declares_the_same_whenever_it_is_asked",
        'name="changes_its_mind"',
        'name=f"n{next(COUNT)}"',
    ),
    "names_no_module": ("test_every_target_imports", FAKE_READER, "no_such_module:Reader"),
    "names_no_reader": ("test_every_target_is_what_its_kind_must_be", FAKE_READER, "builtins:dict"),
    "names_no_class": ("test_every_target_is_what_its_kind_must_be", FAKE_READER, "os:fspath"),
    "says_nothing": ("test_every_name_has_a_summary", "a reader", ""),
    "is_not_installed": ("test_its_entry_point_is_installed", "", ""),
    "has_no_version": ("test_its_distribution_says_its_version", "", ""),
    "requires_nothing": ("test_its_distribution_requires_the_engine", "", ""),
}
LEFT_OUT = {"has_no_version": "Version: 1.2\n", "requires_nothing": "Requires-Dist: hcs-engine>=0.1\n"}


def write(folder, name):
    """Write a plugin's module, and the metadata of its distribution."""
    _, old, new = BROKEN[name]
    (folder / f"broken_{name}.py").write_text(COUNTS + SOURCE.format(name=name).replace(old, new, 1))
    if name != "is_not_installed":
        metadata = folder / f"broken_{name}-1.2.dist-info"
        metadata.mkdir()
        lines = METADATA.format(name=f"broken-{name}").replace(LEFT_OUT.get(name, "nothing"), "")
        (metadata / "METADATA").write_text(lines)
        (metadata / "entry_points.txt").write_text(f"[hcs_core]\n{name} = broken_{name}\n")


@pytest.fixture(autouse=True, scope="session")
def on_the_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    for name in BROKEN:
        write(folder, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield
    for name in BROKEN:
        sys.modules.pop(f"broken_{name}", None)


for broken, (rule, _, _) in BROKEN.items():
    class_name = f"Test_{broken}"
    globals()[class_name] = type(
        class_name, (PluginContract,), {"module": f"broken_{broken}", "name": broken, "breaks": rule}
    )
