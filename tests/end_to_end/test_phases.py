"""The three phases: in their order, and a failed one leaves the orchestrator usable."""

from __future__ import annotations

import shutil

import attrs
import numpy as np
import pytest

from hcs_core import (
    CompileError,
    ExecutorSpec,
    GlobalPipelineConfig,
    HcsError,
    PathPlanningConfig,
    Pipeline,
    PipelineOrchestrator,
    PluginError,
    PluginManager,
    RunError,
    Selection,
    Step,
    VFSConfig,
    hookimpl,
    step_function,
)

STEPS = [Step("max_projection")]


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate()


@pytest.fixture
def make(plate, tmp_path, installed):
    def orchestrator(folder=plate, plugins=installed, output="out", **config):
        settings = GlobalPipelineConfig(num_workers=1, **config)
        return PipelineOrchestrator(folder, global_config=settings, output=tmp_path / output, plugins=plugins)

    return orchestrator


# --- Too early ----------------------------------------------------------------------------------------------------


def test_what_needs_the_plate_names_initialize(make):
    orchestrator = make()
    for early in (
        lambda: orchestrator.plate,
        lambda: orchestrator.microscope_handler,
        lambda: orchestrator.compile_pipelines(STEPS),
        lambda: orchestrator.plan(STEPS, draft=True),
    ):
        with pytest.raises(RunError, match=r"call initialize\(\) first"):
            early()


def test_execute_names_compile_and_initialize(make):
    ready, new = make(), make()
    ready.initialize()
    contexts = ready.compile_pipelines(STEPS)
    with pytest.raises(RunError, match=r"nothing to execute: call compile_pipelines\(steps\)"):
        ready.execute_compiled_plate(pipeline_definition=STEPS, compiled_contexts={})
    with pytest.raises(RunError, match=r"call initialize\(\) first"):
        new.execute_compiled_plate(pipeline_definition=STEPS, compiled_contexts=contexts)
    assert not ready.output.exists()


# --- A failed phase -----------------------------------------------------------------------------------------------


def test_initialize_can_be_called_again_after_a_failure(plate, make, tmp_path):
    folder = tmp_path / "later"
    orchestrator = make(folder)
    with pytest.raises(HcsError):
        orchestrator.initialize()
    with pytest.raises(RunError, match="initialize"):
        orchestrator.compile_pipelines(STEPS)
    shutil.copytree(plate, folder)
    orchestrator.initialize()
    assert orchestrator.run([STEPS]).status == "ok"


def test_a_failed_initialize_leaves_the_plate_that_was_listed(make, tmp_path, plate):
    folder = tmp_path / "moving"
    shutil.copytree(plate, folder)
    orchestrator = make(folder)
    orchestrator.initialize()
    listed = orchestrator.plate
    folder.rename(tmp_path / "moved")
    with pytest.raises(HcsError):
        orchestrator.initialize()
    assert orchestrator.plate is listed


def test_compile_can_be_called_again_after_a_failure(make):
    orchestrator = make()
    orchestrator.initialize()
    with pytest.raises(CompileError, match="Did you mean 'max_projection'"):
        orchestrator.compile_pipelines([Step("max_projectoin")])
    with pytest.raises(CompileError, match="matches no well"):
        orchestrator.compile_pipelines(STEPS, well_filter="H12")
    contexts = orchestrator.compile_pipelines(STEPS, well_filter="B03")
    assert tuple(contexts) == ("B03",)
    assert orchestrator.execute_compiled_plate(STEPS, contexts).status == "ok"


@step_function(axes="yx")
def fails_at_first(image, *, marker: str):
    """Fail until a file is there: a step whose cause can be put right."""
    from pathlib import Path

    if not Path(marker).exists():
        raise OSError("not yet")
    return image


def test_execute_can_be_called_again_after_a_failure(make, tmp_path):
    orchestrator = make()
    orchestrator.initialize()
    steps = [Step(fails_at_first, marker=str(tmp_path / "marker"))]
    contexts = orchestrator.compile_pipelines(steps)
    assert orchestrator.execute_compiled_plate(steps, contexts).status == "failed"
    (tmp_path / "marker").touch()
    assert orchestrator.execute_compiled_plate(steps, contexts).status == "ok"


# --- Contexts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        [Step("mean_projection")],
        [Step("max_projection"), Step("composite")],
        [Step("max_projection", save=True, name="max_projection")],
        Pipeline("another", STEPS),
        Pipeline("pipeline", STEPS, select=Selection(z=[1])),
        Pipeline("pipeline", STEPS, missing="skip-site"),
        [Pipeline("a", STEPS), Pipeline("b", STEPS)],
    ],
)
def test_contexts_of_another_pipeline_are_refused(make, other):
    orchestrator = make()
    orchestrator.initialize()
    contexts = orchestrator.compile_pipelines(STEPS)
    with pytest.raises(RunError, match="compiled from another pipeline"):
        orchestrator.execute_compiled_plate(pipeline_definition=other, compiled_contexts=contexts)
    assert not orchestrator.output.exists()


def test_a_function_that_was_written_anew_is_another_pipeline(make):
    def written(gain):
        @step_function(axes="yx")
        def amplify(image):
            return np.clip(image * gain, 0, 65535).astype(image.dtype)

        return amplify

    orchestrator = make()
    orchestrator.initialize()
    contexts = orchestrator.compile_pipelines([Step(written(2))])
    with pytest.raises(RunError, match="compiled from another pipeline"):
        orchestrator.execute_compiled_plate([Step(written(3))], contexts)
    assert orchestrator.execute_compiled_plate([Step(written(2))], contexts).status == "ok"


def test_the_wells_of_a_definition_do_not_matter(make):
    orchestrator = make()
    orchestrator.initialize()
    contexts = orchestrator.compile_pipelines(Pipeline("p", STEPS, select=Selection(wells="A01")), well_filter="B03")
    assert tuple(orchestrator.execute_compiled_plate(Pipeline("p", STEPS), contexts).wells) == ("B03",)


def test_contexts_of_another_plate_are_refused(make, make_plate):
    orchestrator, other = make(), make(make_plate(wells=("A01",)), output="other")
    orchestrator.initialize()
    other.initialize()
    with pytest.raises(RunError, match="is not what it was when the contexts were compiled"):
        orchestrator.execute_compiled_plate(STEPS, other.compile_pipelines(STEPS))


def test_a_part_of_the_contexts_runs_these_wells(make):
    orchestrator = make()
    orchestrator.initialize()
    contexts = orchestrator.compile_pipelines(STEPS)
    part = orchestrator.execute_compiled_plate(STEPS, {"B03": contexts["B03"]})
    assert (part.status, tuple(part.wells)) == ("ok", ("B03",))
    contexts = orchestrator.compile_pipelines(STEPS)
    whole = orchestrator.execute_compiled_plate(STEPS, contexts)
    assert {well: record.status for well, record in whole.wells.items()} == {"A01": "ok", "B03": "cached"}


def test_contexts_that_are_older_than_the_output_make_again_what_was_removed(make):
    orchestrator = make()
    orchestrator.run([STEPS])
    contexts = orchestrator.compile_pipelines(STEPS)
    assert contexts["A01"].plan.done == ("A01", "B03")
    orchestrator.clear()
    orchestrator.run([STEPS], well_filter="B03")
    again = orchestrator.execute_compiled_plate(STEPS, contexts)
    assert {well: record.status for well, record in again.wells.items()} == {"A01": "ok", "B03": "cached"}


def test_contexts_of_two_calls_do_not_go_together(make):
    orchestrator = make()
    orchestrator.initialize()
    one, other = (orchestrator.compile_pipelines(STEPS, well_filter=well) for well in ("A01", "B03"))
    with pytest.raises(RunError, match="of two compilations"):
        orchestrator.execute_compiled_plate(STEPS, one | other)


def test_more_workers_than_memory_has_room_for_are_not_started(make):
    orchestrator = make(memory_limit="100K")
    orchestrator.initialize()
    contexts = orchestrator.compile_pipelines(STEPS)
    need = contexts["A01"].plan.peak_memory_bytes_per_worker
    assert need < 100 * 1024 < 2 * need
    result = orchestrator.execute_compiled_plate(STEPS, contexts, max_workers=5)
    assert (result.status, result.plan.workers) == ("ok", 1)
    roomy = make(output="roomy")
    roomy.initialize()
    assert roomy.execute_compiled_plate(STEPS, roomy.compile_pipelines(STEPS), max_workers=2).plan.workers == 2


# --- What can be said early ---------------------------------------------------------------------------------------


def test_initialize_says_where_results_cannot_go(make, plate, installed):
    within = PathPlanningConfig(materialization_results_path=plate / "tables")
    with pytest.raises(RunError, match="lies within the plate"):
        make(path_planning=within).initialize()
    with pytest.raises(RunError, match="lies within the plate"):
        PipelineOrchestrator(plate, output=plate / "out", plugins=installed).initialize()


def test_initialize_says_that_there_is_no_such_microscope(make):
    with pytest.raises(HcsError, match="imagexpres"):
        make(microscope="imagexpres").initialize()


def test_compile_says_every_name_that_is_not_there_at_once(make):
    orchestrator = make(executor="locl", vfs=VFSConfig(materialization_backend="zar", intermediate_backend="memry"))
    orchestrator.initialize()
    with pytest.raises(CompileError) as caught:
        orchestrator.compile_pipelines([Step("max_projectoin")])
    for name in ("'locl'", "'zar'", "'memry'", "'max_projectoin'"):
        assert name in str(caught.value)
    assert not orchestrator.output.exists()


def test_an_executor_that_cannot_be_imported_is_said_before_anything_is_made(make):
    plugins = PluginManager()
    spec = ExecutorSpec(name="away", target="no_such_module_at_all:Executor", summary="is not there")

    class Away:
        hcs_api = 1

        @hookimpl
        def hcs_executors(self):
            yield spec

    plugins.register(Away(), "away")
    plugins.discover()
    orchestrator = make(plugins=plugins, executor="away")
    orchestrator.initialize()
    contexts = orchestrator.compile_pipelines(STEPS)
    with pytest.raises(PluginError, match="no_such_module_at_all"):
        orchestrator.execute_compiled_plate(STEPS, contexts)
    assert not orchestrator.output.exists()
    orchestrator.config = attrs.evolve(orchestrator.config, executor="local")
    assert orchestrator.run([STEPS]).status == "ok"
