"""Several pipelines in one run, inputs by name, outputs of some wells: pixels, stores, reruns, the command line."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import tifffile
import yaozarrs

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineError, PipelineOrchestrator, Selection, Step
from hcs_zarr.check import check_plate


def stack(plate, well, site, channel, count=2):
    """The z-stack of a site as the files hold it."""
    names = [f"ZStep_{z}/plate_{well}_s{site}_w{channel}.TIF" for z in range(1, count + 1)]
    return np.stack([tifffile.imread(plate / "TimePoint_1" / name) for name in names])


def opening(image):
    """The background of a square that is wider than the image: its least value."""
    return image - image.min()


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=("A01", "A02", "B03"))


@pytest.fixture
def orchestrator(plate, tmp_path, installed):
    config = GlobalPipelineConfig(num_workers=1)
    made = PipelineOrchestrator(plate, global_config=config, output=tmp_path / "out", plugins=installed)
    made.initialize()
    return made


def wells_of(store):
    attributes = json.loads((store / "zarr.json").read_text(encoding="utf-8"))["attributes"]
    return [well["path"].replace("/", "") for well in attributes["ome"]["plate"]["wells"]]


PIPELINES = [
    Pipeline("green", [Step("max_projection"), Step("white_tophat", radius=100)], select=Selection(channels=["GFP"])),
    Pipeline("all", [Step("mean_projection", save=True), Step("max_projection", input="green/max_projection",
                                                              name="again", save=True),
                     Step("white_tophat", input="start", radius=100)]),
]  # fmt: skip


def test_each_pipeline_makes_what_it_would_alone_and_sees_what_was_left(plate, orchestrator, read_image):
    result = orchestrator.run(pipelines=PIPELINES, well_filter=["A01", "B03"])
    assert result.status == "ok", [record.fault for record in result.failed]
    assert result.plan.pipelines == ("green", "all")
    out = result.output
    stores = ["green.zarr", "mean_projection.zarr", "again.zarr", "images.zarr"]
    assert sorted(path.name for path in out.glob("*.zarr")) == sorted(stores)
    for store in stores:
        yaozarrs.validate_zarr_store(str(out / store))
        assert check_plate(out / store) == ()
        assert wells_of(out / store) == ["A01", "B03"]
    for well in ("A01", "B03"):
        for site in (1, 2):
            green = stack(plate, well, site, 2)
            np.testing.assert_array_equal(read_image(out / "green.zarr", well, site)[0, 0, 0], opening(green.max(0)))
            np.testing.assert_array_equal(read_image(out / "again.zarr", well, site)[0, 0, 0], green.max(axis=0))
            pixels = read_image(out / "images.zarr", well, site)[0]
            means = read_image(out / "mean_projection.zarr", well, site)[0, :, 0].astype(float)
            for channel in (1, 2):
                own = stack(plate, well, site, channel)
                np.testing.assert_array_equal(pixels[channel - 1], np.stack([opening(plane) for plane in own]))
                np.testing.assert_allclose(means[channel - 1], own.mean(axis=0), atol=0.51)


def test_processes_and_threads_make_the_same_of_several_pipelines(plate, tmp_path, installed, read_image):
    made = {}
    for name, threads in (("threads", True), ("processes", False)):
        config = GlobalPipelineConfig(num_workers=2, use_threading=threads)
        one = PipelineOrchestrator(plate, global_config=config, output=tmp_path / name, plugins=installed)
        assert one.run(PIPELINES, well_filter=2).status == "ok"
        made[name] = [
            read_image(tmp_path / name / store, "A02", 2) for store in ("green.zarr", "again.zarr", "images.zarr")
        ]
    for one, other in zip(*made.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_was_asked_is_kept_a_file_for_each_pipeline(orchestrator):
    result = orchestrator.run(pipelines=PIPELINES, well_filter="A01")
    for name, pipeline in zip(("pipeline.yaml", "pipeline_2.yaml"), PIPELINES, strict=True):
        kept = Pipeline.load(result.output / name)
        assert (kept.name, kept.steps, kept.select.wells) == (pipeline.name, pipeline.steps, "A01")
    said = json.loads((result.output / "run.json").read_text(encoding="utf-8"))
    assert (said["pipeline"], said["pipelines"]) == ("green + all", ["green", "all"])
    assert (said["computed"], said["cached"]) == (4, 0)
    orchestrator.clear()
    assert {path.name for path in result.output.iterdir()} == {".hcs", "results"}


def test_a_rerun_makes_only_what_is_not_there(orchestrator):
    first = orchestrator.run(pipelines=PIPELINES, well_filter="A01")
    again = orchestrator.run(pipelines=PIPELINES, well_filter="A01:A02")
    assert {well: record.status for well, record in again.wells.items()} == {"A01": "cached", "A02": "ok"}
    assert first.plan.content_key == again.plan.content_key
    assert wells_of(again.output / "green.zarr") == ["A01", "A02"]


def test_a_step_that_is_kept_for_some_wells(plate, orchestrator, read_image):
    steps = [Step("max_projection", save=True, wells="A01:A02"), Step("white_tophat", radius=100)]
    pipeline = Pipeline("p", steps)
    first = orchestrator.run([pipeline], well_filter=["A01", "B03"])
    assert first.status == "ok"
    kept, final = first.output / "max_projection.zarr", first.output / "images.zarr"
    assert (wells_of(kept), wells_of(final)) == (["A01"], ["A01", "B03"])
    assert not (kept / "B").exists()
    assert first.to_json(orchestrator.plugins)["computed"] == 3
    assert check_plate(kept) == ()
    second = orchestrator.run([pipeline])
    assert {well: record.status for well, record in second.wells.items()} == {
        "A01": "cached", "A02": "ok", "B03": "cached",
    }  # fmt: skip
    assert (wells_of(kept), wells_of(final)) == (["A01", "A02"], ["A01", "A02", "B03"])
    assert second.to_json(orchestrator.plugins)["cached"] == 3
    np.testing.assert_array_equal(read_image(kept, "A02", 1)[0, 0, 0], stack(plate, "A02", 1, 1).max(axis=0))


def test_a_run_without_any_well_of_a_kept_step_makes_no_store_of_it(orchestrator):
    pipeline = Pipeline("p", [Step("max_projection", save=True, wells="A01"), Step("composite")])
    result = orchestrator.run([pipeline], well_filter="B03")
    assert result.status == "ok"
    assert [path.name for path in result.output.glob("*.zarr")] == ["images.zarr"]
    assert orchestrator.run([pipeline], well_filter="B03").wells["B03"].status == "cached"


def test_lists_of_steps_are_pipelines_too(orchestrator):
    result = orchestrator.run(
        pipelines=[[Step("max_projection")], [Step("composite", input="pipeline")]], well_filter=1
    )
    assert [output.store for output in result.plan.outputs] == ["pipeline.zarr", "images.zarr"]
    assert result.plan.pipelines == ("pipeline", "pipeline_2")


@pytest.mark.parametrize(
    ("given", "words"),
    [([], "got no pipeline"), ([Step("composite"), Pipeline("p")], "holds steps ('composite') beside pipelines"),
     ([3], "3 is no pipeline"), ("p.yaml", "'p' is no pipeline")],
)  # fmt: skip
def test_what_is_no_pipeline_is_said(orchestrator, given, words):
    with pytest.raises(PipelineError) as caught:
        orchestrator.run(pipelines=given)
    assert words in str(caught.value)


def test_a_file_that_two_pipelines_cannot_use_is_listed_once(make_plate, tmp_path, installed):
    broken = make_plate(wells=("A01",))
    (broken / "TimePoint_1" / "ZStep_2" / "plate_A01_s2_w2.TIF").write_bytes(b"no image")
    pipelines = [Pipeline("p", [Step("max_projection")]), Pipeline("q", select=Selection(channels=["GFP"]))]
    config = GlobalPipelineConfig(num_workers=1, missing="skip-site")
    one = PipelineOrchestrator(broken, global_config=config, output=tmp_path / "out", plugins=installed)
    result = one.run(pipelines)
    assert (result.status, result.wells["A01"].sites) == ("ok", (1,))
    for planes in ([row.plane for row in result.absent], result.wells["A01"].absent):
        assert [(plane.site, plane.channel, plane.z_index) for plane in planes] == [(2, 2, 2)]


def test_planes_that_nobody_took_are_listed_once(make_plate, tmp_path, installed):
    ragged = make_plate(wells=("A01",), z_count=3)
    for site in (1, 2):
        (ragged / "TimePoint_1" / "ZStep_2" / f"plate_A01_s{site}_w2.TIF").unlink()
    pipelines = [Pipeline("p"), Pipeline("q", select=Selection(z=[1, 2]))]
    config = GlobalPipelineConfig(num_workers=1)
    one = PipelineOrchestrator(ragged, global_config=config, output=tmp_path / "out", plugins=installed)
    result = one.run(pipelines)
    assert result.status == "ok"
    assert len(result.plan.lanes) == 4
    places = [(row.plane.site, row.plane.channel, row.plane.z_index) for row in result.absent]
    assert places == [(1, 2, 2), (2, 2, 2)]


# --- The command line ---------------------------------------------------------------------------------------------


def test_the_command_line_takes_several_pipeline_files(hcs, plate, tmp_path, write_pipeline):
    first = write_pipeline("- max_projection\n", "first")
    second = write_pipeline("- white_tophat: {radius: 100, input: first}\n", "second")
    out = tmp_path / "out"
    planned = hcs("plan", plate, first, second, "-o", out, "--wells", "A01")
    assert planned.code == 0
    assert "first + second" in planned.out
    assert re.search(r"2\. second/white_tophat +first/max_projection ", planned.out)
    document = hcs("plan", plate, first, second, "-o", out, "--json").document
    assert [(step["name"], step["reads"]) for step in document["steps"]] == [
        ("first/max_projection", "plate"), ("second/white_tophat", "first/max_projection"),
    ]  # fmt: skip
    ran = hcs("run", plate, first, second, "-o", out, "--wells", "A01", "--json")
    assert (ran.code, ran.document["pipelines"]) == (0, ["first", "second"])
    assert wells_of(out / "first.zarr") == wells_of(out / "images.zarr") == ["A01"]


def test_a_pipeline_file_that_is_not_there_is_not_taken_for_a_plate(hcs, plate, tmp_path, write_pipeline):
    ran = hcs("run", plate, tmp_path / "absent.yaml", write_pipeline("- composite\n"), "-o", tmp_path / "out")
    assert ran.code == 1
    assert "absent.yaml does not exist" in ran.err
    ran = hcs("run", write_pipeline("- composite\n", "a"), write_pipeline("- composite\n", "b"))
    assert ran.code == 2
    assert "give a plate's folder and a pipeline file" in ran.err


def test_the_command_that_repeats_a_well_names_every_pipeline(hcs, make_plate, tmp_path, write_pipeline):
    broken = make_plate(wells=("A01", "A02"))
    first, second = write_pipeline("- max_projection\n", "first"), write_pipeline("- composite\n", "second")
    next(broken.glob("TimePoint_1/ZStep_1/plate_A02_s1_w1.TIF")).write_bytes(b"no image")
    ran = hcs("run", broken, first, second, "-o", tmp_path / "out")
    assert ran.code == 3
    failed = (tmp_path / "out" / "failed.csv").read_text(encoding="utf-8")
    assert f"{first} {second}" in failed


def test_the_schema_is_printed(hcs):
    printed = hcs("schema")
    assert printed.code == 0
    assert printed.document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "gaussian_blur" in json.dumps(printed.document)
