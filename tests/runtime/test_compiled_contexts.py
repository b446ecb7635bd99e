"""Contexts that are executed: all or some of those that were compiled, of this pipeline, for this plate."""

from __future__ import annotations

import json
import pickle
import shutil

import cloudpickle
import numpy as np
import pytest
import tifffile

from hcs_core import (
    CompileError,
    ConfigError,
    GlobalPipelineConfig,
    Pipeline,
    PipelineOrchestrator,
    RunError,
    Selection,
    Step,
    step_function,
)

WELLS = ("A01", "A02", "B03")


@pytest.fixture(scope="module")
def good_plate(make_plate):
    return make_plate(wells=WELLS, grid=(1, 2), z_count=1, channels=("DAPI",))


@pytest.fixture
def plate(good_plate, tmp_path):
    return shutil.copytree(good_plate, tmp_path / "plate")


@pytest.fixture
def start(tmp_path):
    """Return a maker of initialized orchestrators, by default for the calling process."""

    def make(plate, **config):
        config = GlobalPipelineConfig(**{"num_workers": 1, **config})
        orchestrator = PipelineOrchestrator(plate, global_config=config, output=tmp_path / "out")
        orchestrator.initialize()
        return orchestrator

    return make


BLUR = [Step("gaussian_blur", sigma=2.0)]


def test_a_part_of_the_contexts_runs_just_those_wells(plate, start):
    orchestrator = start(plate)
    contexts = orchestrator.compile_pipelines(BLUR)
    some = {well: contexts[well] for well in ("B03", "A01")}
    result = orchestrator.execute_compiled_plate(BLUR, some)
    assert {well: record.status for well, record in result.wells.items()} == {"A01": "ok", "B03": "ok"}
    assert result.status == "ok"
    assert result.plan.well_names == ("A01", "B03")
    images = [path for path in (result.output / "images.zarr").glob("*/*/*/0") if path.is_dir()]
    assert len(images) == 4
    # Two thirds of the wells are two thirds of the bytes.
    assert 3 * result.plan.output_bytes == 2 * contexts["A01"].plan.output_bytes
    rest = orchestrator.execute_compiled_plate(BLUR, orchestrator.compile_pipelines(BLUR))
    assert {well: record.status for well, record in rest.wells.items()} == {
        "A01": "cached", "A02": "ok", "B03": "cached",
    }  # fmt: skip


def test_a_part_of_them_leaves_out_what_is_told_of_others(make_plate, start):
    plate = make_plate(wells=WELLS, grid=(1, 1), z_count=1)
    (plate / "TimePoint_1" / "plate_A02_w2.TIF").unlink()
    orchestrator = start(plate, missing="skip-well")
    contexts = orchestrator.compile_pipelines([])
    assert list(contexts) == ["A01", "B03"]
    assert set(orchestrator.execute_compiled_plate([], contexts).wells) == {"A01", "A02", "B03"}
    one = start(plate, missing="skip-well", num_workers=1)
    one.output = one.output.with_name("one")
    assert set(one.execute_compiled_plate([], {"B03": contexts["B03"]}).wells) == {"B03"}


@step_function(version="1")
def scaled(image, *, factor: float = 1.0):
    return (image * factor).astype(image.dtype)


@step_function(version="1")
def shifted(image, *, factor: float = 1.0):
    return (image + factor).astype(image.dtype)


@pytest.mark.parametrize(
    ("compiled", "given", "words"),
    [
        (BLUR, [Step("gaussian_blur", sigma=3.0)], r"step 'gaussian_blur': sigma was 2\.0, and is now 3\.0"),
        (
            BLUR,
            [Step("gaussian_blur", sigma=2.0, save=True)],
            "step 'gaussian_blur': save was False, and is now True",
        ),
        (BLUR, [], "its steps were gaussian_blur, and are now none"),
        (BLUR, [Step("unsharp_mask", name="gaussian_blur")], "it ran 'gaussian_blur', and runs now 'unsharp_mask'"),
        ([Step(scaled, name="x")], [Step(shifted, name="x")], "it ran 'scaled', and runs now 'shifted'"),
        ([Step(scaled)], [Step(scaled, factor=2)], "factor was not given, and is now 2"),
        ([Step({"DAPI": scaled})], [Step({"1": scaled})], "its dict named DAPI, and names now 1"),
        ([Step([scaled, scaled])], [Step([scaled], name="scaled")], r"it had 2 call\(s\)"),
        (
            Pipeline("p", BLUR, select=Selection(sites=(1,))),
            Pipeline("p", BLUR, select=Selection(sites=(2,))),
            r"select\.sites was \(1,\), and is now \(2,\)",
        ),
        (Pipeline("p", BLUR, missing="error"), Pipeline("p", BLUR), "missing was error, and is now None"),
        (Pipeline("p", BLUR), Pipeline("q", BLUR), "its name was p, and is now q"),
        ([Pipeline("p", BLUR)], [Pipeline("p", BLUR), Pipeline("q", [])], "its name was p, and is now p, q"),
        (BLUR, [*BLUR, Step("max_projection", enabled=False)], "in steps that are not enabled"),
    ],
)
def test_contexts_of_another_definition_are_refused_with_what_differs(good_plate, start, compiled, given, words):
    orchestrator = start(good_plate)
    contexts = orchestrator.compile_pipelines(compiled)
    with pytest.raises(RunError, match=f"another pipeline than the one given .*{words}.*compile_pipelines"):
        orchestrator.execute_compiled_plate(given, contexts)
    assert not orchestrator.output.exists()


def test_wells_make_no_other_definition(good_plate, start):
    orchestrator = start(good_plate)
    contexts = orchestrator.compile_pipelines(BLUR, well_filter="A01")
    assert list(orchestrator.execute_compiled_plate(BLUR, contexts).wells) == ["A01"]


def test_contexts_that_travelled_are_as_good(good_plate, start):
    """A function that came back from a pickle is another object of the same content."""
    added = 3

    @step_function()
    def mine(image):
        return image + np.uint16(added)

    orchestrator = start(good_plate)
    contexts = pickle.loads(cloudpickle.dumps(orchestrator.compile_pipelines([Step(mine)], well_filter=1)))  # noqa: S301
    added = 4
    with pytest.raises(RunError, match="step 'mine': the function 'mine' has changed"):
        orchestrator.execute_compiled_plate([Step(mine)], contexts)
    added = 3
    assert orchestrator.execute_compiled_plate([Step(mine)], contexts).status == "ok"


def test_contexts_of_another_plate_are_refused(make_plate, start):
    plate, other = (make_plate(wells=("A01",), z_count=1, name=name) for name in ("plate", "other"))
    contexts = start(other).compile_pipelines([])
    with pytest.raises(RunError, match=r"compiled for the plate 'other' \(imagexpress\), and this is 'plate'"):
        start(plate).execute_compiled_plate([], contexts)


def test_contexts_of_two_compilations_are_not_mixed(good_plate, start):
    orchestrator = start(good_plate)
    one, two = (orchestrator.compile_pipelines([Step("gaussian_blur", sigma=s)]) for s in (1.0, 2.0))
    with pytest.raises(RunError, match="wells A01 and A02 are of two compilations"):
        orchestrator.execute_compiled_plate(BLUR, {"A01": one["A01"], "A02": two["A02"]})


def test_what_is_no_context_is_refused(good_plate, start):
    orchestrator = start(good_plate)
    contexts = orchestrator.compile_pipelines(BLUR)
    for wrong, words in (
        (list(contexts.values()), "list is no context"),
        ({"A01": contexts["A01"].plan}, "Plan is no context"),
        ({"A02": contexts["A01"]}, "the context of well A01 is given for 'A02'"),
        ({}, "nothing to execute"),
    ):
        with pytest.raises(RunError, match=words):
            orchestrator.execute_compiled_plate(BLUR, wrong)


def test_wrong_numbers_of_workers_are_refused(good_plate, start):
    orchestrator = start(good_plate)
    contexts = orchestrator.compile_pipelines([])
    for wrong in (0, -1, 1.5, "2", True, 5000):
        with pytest.raises(ConfigError, match=r"max_workers=.*expected a whole number from 1 to 1024"):
            orchestrator.execute_compiled_plate([], contexts, max_workers=wrong)
    assert not orchestrator.output.exists()


def test_max_workers_never_takes_more_than_memory_is_there_for(good_plate, start):
    roomy = start(good_plate, use_threading=True)
    contexts = roomy.compile_pipelines(BLUR)
    need = contexts["A01"].plan.peak_memory_bytes_per_worker
    assert roomy.execute_compiled_plate(BLUR, contexts, max_workers=3).plan.workers == 3
    tight = start(good_plate, use_threading=True, memory_limit=2 * need + 1)
    tight.output = tight.output.with_name("tight")
    contexts = tight.compile_pipelines(BLUR)
    assert tight.execute_compiled_plate(BLUR, contexts, max_workers=3).plan.workers == 2


# --- A plate that changes between compile and execute -----------------------------------------------------------


def test_a_file_that_is_gone_fails_its_well_by_name_and_no_other(plate, start):
    orchestrator = start(plate)
    contexts = orchestrator.compile_pipelines(BLUR)
    gone = plate / "TimePoint_1" / "plate_A02_s2.TIF"
    gone.unlink()
    result = orchestrator.execute_compiled_plate(BLUR, contexts)
    assert {well: record.status for well, record in result.wells.items()} == {
        "A01": "ok", "A02": "failed", "B03": "ok",
    }  # fmt: skip
    fault = result.wells["A02"].fault
    assert (fault.file, fault.site) == (str(gone), 2)
    assert str(gone) in fault.error
    assert [(row.plane.state, row.action) for row in result.absent] == [("missing", "error")]


def test_a_file_that_is_gone_is_left_out_where_the_policy_says_so(plate, start):
    orchestrator = start(plate, missing="skip-site")
    contexts = orchestrator.compile_pipelines([])
    (plate / "TimePoint_1" / "plate_A02_s2.TIF").unlink()
    result = orchestrator.execute_compiled_plate([], contexts)
    assert result.status == "ok"
    assert result.wells["A02"].sites == (1,)
    assert [(row.well, row.plane.site, row.plane.state) for row in result.absent] == [("A02", 2, "missing")]


def test_a_new_file_does_not_matter(plate, start):
    orchestrator = start(plate)
    contexts = orchestrator.compile_pipelines([])
    shutil.copy(plate / "TimePoint_1" / "plate_A01_s1.TIF", plate / "TimePoint_1" / "plate_C05_s1.TIF")
    result = orchestrator.execute_compiled_plate([], contexts)
    assert (result.status, tuple(result.wells)) == ("ok", WELLS)


def test_a_plate_that_was_listed_anew_since_is_told(plate, start):
    orchestrator = start(plate)
    contexts = orchestrator.compile_pipelines([])
    (plate / "TimePoint_1" / "plate_A02_s2.TIF").unlink()
    orchestrator.initialize()
    with pytest.raises(RunError, match=r"'plate' is not what it was when the contexts were compiled"):
        orchestrator.execute_compiled_plate([], contexts)
    # The object stays usable.
    again = orchestrator.compile_pipelines([], well_filter="~A02")
    assert orchestrator.execute_compiled_plate([], again).status == "ok"


def test_a_plate_that_is_gone_is_refused_before_anything_is_made(plate, start):
    orchestrator = start(plate)
    contexts = orchestrator.compile_pipelines([])
    shutil.move(plate, plate.with_name("elsewhere"))
    with pytest.raises(RunError, match=r"plate is not there any more"):
        orchestrator.execute_compiled_plate([], contexts)
    assert not orchestrator.output.exists()


def test_a_file_that_was_replaced_by_another_shape_is_named(plate, start):
    orchestrator = start(plate)
    contexts = orchestrator.compile_pipelines([])
    path = plate / "TimePoint_1" / "plate_B03_s1.TIF"
    tifffile.imwrite(path, np.zeros((10, 12), np.uint16))
    result = orchestrator.execute_compiled_plate([], contexts)
    assert [record.well for record in result.failed] == ["B03"]
    assert f"{path}: its image is (10, 12) uint16" in result.failed[0].fault.error
    run = json.loads((result.output / "run.json").read_text())
    assert run["status"] == "partial"


# --- Wells that there are not -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("well_filter", "words"),
    [
        ("A03", ("'A03' matches no well", "A01, A02, B03", "the nearest to it is A02.")),
        (["A01", "B04"], ("'B04' matches no well", "the nearest to it is B03.")),
        ("row:D", ("'row:D' matches no well", "A01, A02, B03")),
        ("well 1", ("'well 1' is no well name",)),
    ],
)
def test_a_wrong_well_filter_says_which_wells_there_are(good_plate, start, well_filter, words):
    orchestrator = start(good_plate)
    with pytest.raises(CompileError) as told:
        orchestrator.compile_pipelines([], well_filter=well_filter)
    for word in words:
        assert word in str(told.value)
    assert list(orchestrator.compile_pipelines([], well_filter="A01")) == ["A01"]
