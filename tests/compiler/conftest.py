"""Plans of made-up plates, compiled with the real kernels and backends."""

from types import SimpleNamespace

import pytest
from hypothesis import settings

import hcs_memory.plugin
import hcs_numpy.plugin
import hcs_zarr.plugin
from hcs_core import GlobalPipelineConfig, Pipeline, PluginManager, Selection, hookimpl
from hcs_core.compiler.compiling import CompileInput, draft_plan
from hcs_core.compiler.machine import Existing, Machine
from hcs_core.testing.plates import make_plate

settings.register_profile("rooms", deadline=None, max_examples=60, database=None)
settings.load_profile("rooms")


@pytest.fixture
def make_manager():
    """Return a maker of managers: the usual kernels and backends, and further plugins given as their hooks' specs."""

    def make(usual=True, **hooks):
        manager = PluginManager()
        for module in (hcs_numpy.plugin, hcs_memory.plugin, hcs_zarr.plugin) if usual else ():
            manager.register(module)
        if hooks:
            plugin = SimpleNamespace(
                hcs_api=1, **{hook: hookimpl(lambda specs=specs: iter(specs)) for hook, specs in hooks.items()}
            )
            manager.register(plugin, "made_up")
        return manager

    return make


@pytest.fixture
def manager(make_manager):
    return make_manager()


@pytest.fixture
def draft(manager):
    """Return a function that drafts the plan of steps for a plate; keywords that are no arguments make the plate."""

    def run(*steps, plate=None, config=None, plugins=None, select=None, machine=None, existing=None, **components):
        return draft_plan(
            Pipeline("made_up", steps, select=select or Selection()),
            make_plate(**components) if plate is None else plate,
            config or GlobalPipelineConfig(),
            plugins or manager,
            machine,
            existing,
        )

    return run


@pytest.fixture
def compile_input(manager):
    """Return a maker of what passes may look at."""

    def make(*steps, plate=None, config=None, machine=None):
        return CompileInput(
            pipelines=(Pipeline("made_up", steps),),
            plate=plate or make_plate(),
            config=config or GlobalPipelineConfig(),
            plugins=manager,
            machine=machine or Machine(cores=3),
            existing=Existing(),
        )

    return make
