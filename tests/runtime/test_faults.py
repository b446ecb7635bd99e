"""Kernels that go wrong fail their well with step, function and site; the others are made."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    PipelineOrchestrator,
    PluginManager,
    RunError,
    Step,
    hookimpl,
    step_function,
)


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=("A01", "A02", "A03"), grid=(1, 1), z_count=2, channels=("DAPI",))


def run(plate, tmp_path, *steps, plugins=None, **config):
    settings = GlobalPipelineConfig(**{"num_workers": 1, **config})
    orchestrator = PipelineOrchestrator(plate, global_config=settings, plugins=plugins, output=tmp_path / "out")
    return orchestrator.run([Pipeline("test", steps)])


@step_function()
def raises(image):
    raise ZeroDivisionError("no cells")


@step_function()
def too_small(image):
    return image[:-1]


@step_function()
def other_dtype(image):
    return image.astype(np.int64)


@step_function()
def nothing(image):
    return None


@step_function()
def two(image):
    return image, image


@step_function()
def brightest(image):
    return image.max()


@step_function()
def exits(image):
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (raises, "it raised ZeroDivisionError: no cells"),
        (too_small, "it returned the shape (63, 96); its signature (yx -> yx) means (64, 96)"),
        (other_dtype, "it returned int64; its signature means uint16: convert it before it is returned"),
        (nothing, "it returned NoneType; its signature (yx -> yx) means a numpy array"),
        (two, "it returned a tuple of 2; its signature (yx -> yx) means one array"),
        (brightest, "it returned uint16; its signature (yx -> yx) means a numpy array"),
    ],
)
def test_the_fault_of_a_function_names_step_function_and_site(plate, tmp_path, function, words):
    result = run(plate, tmp_path, Step("max_projection"), Step(function, name="last"))
    assert result.status == "failed"
    fault = result.wells["A02"].fault
    assert (fault.step, fault.function, fault.site) == ("last", function.__name__, 1)
    assert words in fault.error
    assert "Traceback" in fault.trace


def test_one_site_of_one_well_fails_that_well_alone(make_plate, tmp_path):
    plate = make_plate(wells=("A01", "A02"), grid=(1, 2), z_count=1, channels=("DAPI",))

    @step_function()
    def fails_in_one_place(image):
        if image.sum() == marked:
            raise ValueError("here")
        return image

    import tifffile

    marked = tifffile.imread(plate / "TimePoint_1" / "plate_A02_s2.TIF").sum()
    result = run(plate, tmp_path, Step(fails_in_one_place))
    assert result.status == "partial"
    assert {well: record.status for well, record in result.wells.items()} == {"A01": "ok", "A02": "failed"}
    assert result.wells["A02"].fault.site == 2


def test_a_function_of_a_script_runs_in_worker_processes(plate, tmp_path):
    """Closures and lambdas are not importable; workers get them by value."""
    added = 7
    identity = step_function(version="1")(lambda image: image + np.uint16(added))
    result = run(plate, tmp_path, Step(identity), num_workers=2, use_threading=False)
    assert result.status == "ok"
    assert all(record.peak_memory_bytes > 10_000_000 for record in result.wells.values())


def test_a_function_that_cannot_be_sent_to_workers_is_named(plate, tmp_path):
    handle = os.popen("true")  # noqa: S605 - something that nobody can pickle

    @step_function(version="1")
    def holds_a_file(image):
        handle.fileno()
        return image

    with pytest.raises(RunError, match=r"holds_a_file.*use_threading"):
        run(plate, tmp_path, Step(holds_a_file), num_workers=2, use_threading=False)
    handle.close()
    assert run(plate, tmp_path / "other", Step(holds_a_file)).status == "failed"


def test_plugins_of_the_program_are_there_in_workers(plate, tmp_path, monkeypatch):
    """An operation that the embedding program registered runs in worker processes too."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    from kernel_of_the_program import Plugin

    plugins = PluginManager()
    plugins.register(Plugin(), "program")
    plugins.discover()
    result = run(plate, tmp_path, Step("invert"), plugins=plugins, num_workers=2, use_threading=False)
    assert result.status == "ok", [record.fault for record in result.failed]


def test_a_listener_that_raises_does_not_stop_a_run(plate, tmp_path):
    class Listener:
        hcs_api = 1

        @hookimpl
        def hcs_event(self, event):
            raise RuntimeError(f"deaf to {event}")

    plugins = PluginManager()
    plugins.register(Listener(), "deaf")
    plugins.discover()
    assert run(plate, tmp_path, Step("max_projection"), plugins=plugins).status == "ok"
    record = next(record for record in plugins.records() if record.name == "deaf")
    assert record.status == "failed"
    assert "deaf" in record.error


def test_listeners_hear_every_well_once(plate, tmp_path):
    heard = []

    class Listener:
        hcs_api = 1

        @hookimpl
        def hcs_event(self, event):
            heard.append(event)

    plugins = PluginManager()
    plugins.register(Listener(), "listener")
    plugins.discover()
    result = run(plate, tmp_path, Step("max_projection"), plugins=plugins)
    names = [type(event).__name__ for event in heard]
    assert names == ["PlanCompiled", "RunStarted", "WellFinished", "WellFinished", "WellFinished", "RunFinished"]
    assert [event.well for event in heard if hasattr(event, "well")] == ["A01", "A02", "A03"]
    assert heard[-1].status == result.status == "ok"


def test_a_phase_that_is_called_too_early_names_the_one_that_is_missing(plate, tmp_path):
    orchestrator = PipelineOrchestrator(plate, output=tmp_path / "out")
    with pytest.raises(RunError, match=r"initialize\(\)"):
        orchestrator.compile_pipelines([])
    with pytest.raises(RunError, match=r"initialize\(\)"):
        orchestrator.execute_compiled_plate([], {})
    orchestrator.initialize()
    with pytest.raises(RunError, match="compile_pipelines"):
        orchestrator.execute_compiled_plate([], {})
    contexts = orchestrator.compile_pipelines([Step("max_projection")])
    assert list(contexts) == ["A01", "A02", "A03"]
    assert orchestrator.execute_compiled_plate([Step("max_projection")], contexts).status == "ok"
