"""Microscopes and readers that a test makes up."""

from types import SimpleNamespace

import attrs
import pytest
from hypothesis import settings

from hcs_core import Header, MicroscopeSpec, PlaneFacts, PluginManager, ReadError, ReaderSpec, hookimpl
from hcs_core.plate.detection import Detected

settings.register_profile("rooms", deadline=None, max_examples=60, database=None)
settings.load_profile("rooms")


@pytest.fixture
def microscope(target):
    """Return a maker of plugins, each with one microscope whose handler answers what it is told to."""

    def make(name, *, markers=("*.mark",), recognise=lambda _root: "it was made up", found=True, **more):
        told = {"recognise": lambda _self, root: recognise(root), **more}
        handler = type(name.title(), (), told)
        place = target(name, handler) if found else "no_such_library_here:Handler"
        spec = MicroscopeSpec(name=name, target=place, markers=markers)
        return SimpleNamespace(hcs_api=1, hcs_microscopes=hookimpl(lambda: iter([spec])))

    return make


@pytest.fixture
def reader(target):
    """Return a maker of a plugin with the reader `made_up`: the text of a header is the file's name.

    A file is broken if it is listed so, and has another header if one is given. `opened` of the plugin lists what
    was asked for.
    """

    def make(broken=(), headers=None):
        opened = []

        class Reader:
            def header(self, location, selector):
                name = location.rpartition("/")[2]
                opened.append((name, selector))
                if name in broken:
                    raise ReadError(f"{location} is broken")
                return (headers or {}).get(name, Header(shape=(64, 48), dtype="uint16", text=name))

        spec = ReaderSpec(name="made_up", target=target("Reader", Reader))
        return SimpleNamespace(hcs_api=1, hcs_readers=hookimpl(lambda: iter([spec])), opened=opened)

    return make


@pytest.fixture
def manager():
    """Return a maker of managers with the given plugins."""

    def make(*plugins, strict=False):
        made = PluginManager(strict=strict)
        for number, plugin in enumerate(plugins):
            made.register(plugin, f"plugin_{number}")
        return made

    return make


@pytest.fixture
def detected():
    """Return a maker of the handler of a plate whose headers say, by file name, what they are told to."""

    def make(plate, facts=None):
        said = facts or {}
        handler = SimpleNamespace(
            build_inventory=lambda root: attrs.evolve(plate, root=root),
            parse_header=lambda text: PlaneFacts(**said.get(text, {})),
        )
        return Detected(name="made_up", handler=handler, reason="it was made up")

    return make
