"""What functions measure on synthetic plates, against independent arithmetic on the files themselves."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile

from hcs_core import (
    GlobalPipelineConfig,
    PathPlanningConfig,
    Pipeline,
    PipelineOrchestrator,
    Step,
    Taken,
    WritersConfig,
    step_function,
)

WELLS = ("A01", "B03", "B04")


@step_function(out="", makes={"levels": "table", "facts": "json"})
def measure(image):
    y, x = np.unravel_index(image.argmax(), image.shape)
    return {"mean": [image.mean()], "y": [y], "x": [x], "word": ['a "quoted", µ']}, {"brightest": image.max()}


@step_function(axes="zyx", out="yx", takes={"levels": "table"}, makes={"slices": "table"})
def pick(image, *, levels):
    """The slice with the largest mean, as the table says."""
    best = int(levels["mean"].argmax())
    return image[best], {"z": [levels["Metadata_Z"][best]]}


@step_function(makes={"mask": "image"})
def segment(image):
    return image, image > image.mean()


@step_function(takes={"mask": "image"})
def cut(image, *, mask):
    return np.where(mask, image, 0).astype(image.dtype)


@step_function(takes={"facts": "json"})
def clip(image, *, facts):
    return np.minimum(image, facts["brightest"] - 7).astype(image.dtype)


@step_function(context=True)
def add_sites(image, *, context):
    return image + image.dtype.type(len(context.sites) + (context.well == "B03"))


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(wells=WELLS)


def stack(plate, well, site, channel):
    """The z-stack of a site as the files hold it."""
    return np.stack(
        [
            tifffile.imread(plate / "TimePoint_1" / f"ZStep_{z}" / f"plate_{well}_s{site}_w{channel}.TIF")
            for z in (1, 2)
        ]
    )


def run(plate, output, *steps, well_filter=None, **config):
    settings = GlobalPipelineConfig(**{"num_workers": 1, **config})
    orchestrator = PipelineOrchestrator(plate, global_config=settings, output=output)
    return orchestrator.run([Pipeline("test", steps)], well_filter)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def places():
    return [(w, s, c, z) for w in WELLS for s in (1, 2) for c in (1, 2) for z in (1, 2)]


def test_a_table_has_a_row_for_each_call_in_the_plate_s_order(plate, tmp_path):
    result = run(plate, tmp_path / "out", Step(measure))
    assert result.status == "ok"
    rows = rows_of(tmp_path / "out" / "results" / "levels.csv")
    assert list(rows[0]) == [
        "Metadata_Plate", "Metadata_Well", "Metadata_Site", "Metadata_Time", "Metadata_Channel", "Metadata_Z", "mean",
        "y", "x", "word",
    ]  # fmt: skip
    names = {"DAPI": 1, "GFP": 2}
    found = [
        (row["Metadata_Well"], int(row["Metadata_Site"]), names[row["Metadata_Channel"]], int(row["Metadata_Z"]))
        for row in rows
    ]
    assert found == places()
    for row, (well, site, channel, z) in zip(rows, places(), strict=True):
        plane = stack(plate, well, site, channel)[z - 1]
        # Numbers come back exactly.
        assert float(row["mean"]) == plane.mean()
        assert plane[int(row["y"]), int(row["x"])] == plane.max()
        assert (row["Metadata_Plate"], row["Metadata_Time"], row["word"]) == ("plate", "1", 'a "quoted", µ')


def test_images_pass_a_step_that_only_measures(plate, tmp_path, read_image):
    run(plate, tmp_path / "out", Step(measure), Step("max_projection"))
    expected = stack(plate, "B03", 2, 1).max(axis=0)
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "images.zarr", "B03", 2)[0, 0, 0], expected)


def test_json_has_an_entry_for_each_call_of_each_well(plate, tmp_path):
    run(plate, tmp_path / "out", Step(measure))
    document = json.loads((tmp_path / "out" / "results" / "facts.json").read_text(encoding="utf-8"))
    assert list(document) == list(WELLS)
    assert len(document["A01"]) == 8
    last = document["B04"][-1]
    assert {key: last[key] for key in ("site", "timepoint", "channel", "z_index")} == {
        "site": 2, "timepoint": 1, "channel": "GFP", "z_index": 2,
    }  # fmt: skip
    assert last["value"] == {"brightest": int(stack(plate, "B04", 2, 2)[1].max())}


def test_a_finer_table_is_joined_for_who_takes_it(plate, tmp_path, read_image):
    run(plate, tmp_path / "out", Step(measure), Step(pick))
    for well in WELLS:
        for site in (1, 2):
            for channel in (1, 2):
                planes = stack(plate, well, site, channel)
                expected = planes[planes.mean(axis=(1, 2)).argmax()]
                found = read_image(tmp_path / "out" / "images.zarr", well, site)[0, channel - 1, 0]
                np.testing.assert_array_equal(found, expected)
    rows = rows_of(tmp_path / "out" / "results" / "slices.csv")
    assert "Metadata_Z" not in rows[0]
    assert int(rows[0]["z"]) == stack(plate, "A01", 1, 1).mean(axis=(1, 2)).argmax() + 1


def test_a_mask_of_one_channel_cuts_every_channel(plate, tmp_path, read_image):
    run(plate, tmp_path / "out", Step("max_projection"), Step({"DAPI": segment}), Step(cut))
    blue, green = (stack(plate, "B03", 1, channel).max(axis=0) for channel in (1, 2))
    mask = blue > blue.mean()
    found = read_image(tmp_path / "out" / "images.zarr", "B03", 1)[0, :, 0]
    np.testing.assert_array_equal(found[0], np.where(mask, blue, 0))
    np.testing.assert_array_equal(found[1], np.where(mask, green, 0))
    files = sorted(path.name for path in (tmp_path / "out" / "results" / "mask" / "B03").iterdir())
    assert files == ["B03_s001_t001_w01.npy", "B03_s002_t001_w01.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "results" / "mask" / "B03" / files[0]), mask)


def test_each_taker_gets_the_json_of_its_own_place(plate, tmp_path, read_image):
    run(plate, tmp_path / "out", Step(measure), Step(clip))
    for site in (1, 2):
        planes = stack(plate, "A01", site, 2)
        limits = planes.max(axis=(1, 2), keepdims=True) - 7
        found = read_image(tmp_path / "out" / "images.zarr", "A01", site)[0, 1]
        np.testing.assert_array_equal(found, np.minimum(planes, limits))


WAYS = {
    "here": {"num_workers": 1},
    "threads": {"num_workers": 2, "use_threading": True},
    "processes": {"num_workers": 2, "use_threading": False},
}


def results_of(output):
    """Every file of the results that does not tell seconds and memory, by its path."""
    folder = output / "results"
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != "wells.csv"}


STEPS = (Step(measure), Step(pick), Step({"DAPI": segment}), Step(cut), Step(add_sites))


def test_processes_threads_and_the_calling_process_leave_the_same_files(plate, tmp_path, read_image):
    found = {}
    for name, config in WAYS.items():
        result = run(plate, tmp_path / name, *STEPS, **config)
        assert result.status == "ok", result
        found[name] = results_of(tmp_path / name)
    assert found["here"] == found["threads"] == found["processes"]
    assert {"levels.csv", "facts.json", "slices.csv", "mask/B04/B04_s002_t001_w01.npy"} <= found["here"].keys()
    pixels = {name: read_image(tmp_path / name / "images.zarr", "B03", 1) for name in WAYS}
    np.testing.assert_array_equal(pixels["here"], pixels["processes"])


def test_the_context_is_that_of_the_well(plate, tmp_path, read_image):
    for name in ("here", "processes"):
        run(plate, tmp_path / name, Step(add_sites), **WAYS[name])
        for well, more in (("A01", 2), ("B03", 3)):
            found = read_image(tmp_path / name / "images.zarr", well, 2)[0, 0]
            np.testing.assert_array_equal(found, stack(plate, well, 2, 1) + np.uint16(more))


def test_a_rerun_makes_nothing_and_leaves_the_same_table(plate, tmp_path):
    run(plate, tmp_path / "out", *STEPS, well_filter=["A01"])
    assert {row["Metadata_Well"] for row in rows_of(tmp_path / "out" / "results" / "levels.csv")} == {"A01"}
    result = run(plate, tmp_path / "out", *STEPS)
    assert {well: found.status for well, found in result.items()} == {"A01": "cached", "B03": "ok", "B04": "ok"}
    run(plate, tmp_path / "at_once", *STEPS)
    assert results_of(tmp_path / "out") == results_of(tmp_path / "at_once")
    # A run of one well alone, as failed.csv says it, leaves the rows of the others.
    run(plate, tmp_path / "out", *STEPS, well_filter=["B03"])
    assert results_of(tmp_path / "out") == results_of(tmp_path / "at_once")


def test_a_well_whose_rows_are_gone_is_made_again(plate, tmp_path):
    run(plate, tmp_path / "out", *STEPS)
    before = results_of(tmp_path / "out")
    (tmp_path / "out" / ".hcs" / "tables" / "B03.npz").unlink()
    result = run(plate, tmp_path / "out", *STEPS)
    assert {well: found.status for well, found in result.items()} == {"A01": "cached", "B03": "ok", "B04": "cached"}
    assert results_of(tmp_path / "out") == before


@step_function(out="", makes={"levels": "table", "mask": "image"}, context=True, version="1")
def fails_in_one_well(image, *, context):
    if context.well == "B03" and not image.max() < 10:
        raise ZeroDivisionError("no cells")
    return {"mean": [image.mean()]}, image > 0


def test_a_failed_well_has_no_rows_and_no_files(plate, tmp_path):
    result = run(plate, tmp_path / "out", Step("max_projection"), Step(fails_in_one_well))
    assert result["B03"].status == "failed"
    assert "ZeroDivisionError: no cells" in result["B03"].error
    results = tmp_path / "out" / "results"
    assert {row["Metadata_Well"] for row in rows_of(results / "levels.csv")} == {"A01", "B04"}
    assert {path.name for path in (results / "mask").iterdir()} == {"A01", "B04"}
    assert set(result["B03"].tables) == set()
    wells = {row["Metadata_Well"]: row for row in rows_of(results / "wells.csv")}
    assert (wells["B03"]["status"], wells["B03"]["planes_present"], wells["B03"]["outputs"]) == ("failed", "0", "")
    assert (wells["A01"]["status"], wells["A01"]["planes_present"], wells["A01"]["planes_absent"]) == ("ok", "8", "0")
    assert wells["A01"]["outputs"] == "images.zarr"


def test_fresh_removes_what_runs_wrote_and_nothing_else(plate, tmp_path):
    run(plate, tmp_path / "out", *STEPS)
    mine = tmp_path / "out" / "results" / "mine.txt"
    mine.write_text("notes")
    PipelineOrchestrator(plate, output=tmp_path / "out").clear()
    left = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert left == {mine}


def test_another_writer_writes_the_same_rows_without_another_run(plate, tmp_path):
    run(plate, tmp_path / "out", Step(measure))
    text = rows_of(tmp_path / "out" / "results" / "levels.csv")
    result = run(plate, tmp_path / "out", Step(measure), writers=WritersConfig(table="parquet"))
    assert {found.status for found in result.values()} == {"cached"}
    assert not (tmp_path / "out" / "results" / "levels.csv").exists()
    table = pq.read_table(tmp_path / "out" / "results" / "levels.parquet")
    assert table["mean"].to_pylist() == [float(row["mean"]) for row in text]
    assert table["Metadata_Channel"].to_pylist() == [row["Metadata_Channel"] for row in text]
    assert json.loads((tmp_path / "out" / "run.json").read_text())["artifacts"] == {
        "levels": "results/levels.parquet",
        "facts": "results/facts.json",
    }


def test_masks_can_be_written_as_tiff(plate, tmp_path):
    steps = (Step("max_projection"), Step({"DAPI": segment}))
    run(plate, tmp_path / "out", *steps, writers=WritersConfig(image="tiff"), well_filter=["A01"])
    found = tifffile.imread(tmp_path / "out" / "results" / "mask" / "A01" / "A01_s001_t001_w01.tif")
    flat = stack(plate, "A01", 1, 1).max(axis=0)
    np.testing.assert_array_equal(found, (flat > flat.mean()).astype("uint8"))


@step_function(axes="zyx", makes={"volume": "image"})
def keeps_a_volume(image):
    return image, image > 0


def test_what_a_writer_cannot_hold_fails_the_well(plate, tmp_path):
    writers = WritersConfig(image="tiff")
    result = run(plate, tmp_path / "out", Step(keeps_a_volume), writers=writers, well_filter=["A01"])
    assert (
        "cannot be written by the writer 'tiff' (ValueError: the array has the shape (2, 64, 96)"
        in result["A01"].error
    )
    assert not (tmp_path / "out" / "results" / "volume").exists()


def test_the_services_of_the_plate_are_in_the_context(plate, tmp_path, read_image):
    @step_function(context=True)
    def count_wells(image, *, context):
        return image * 0 + image.dtype.type(len(context.orchestrator.plate.wells))

    for name in ("here", "processes"):
        run(plate, tmp_path / name, Step(count_wells), **WAYS[name])
        assert (read_image(tmp_path / name / "images.zarr", "A01", 1) == len(WELLS)).all()


def test_the_command_line_says_what_is_made(plate, tmp_path, hcs, write_pipeline, monkeypatch, target):
    place = target("measure", measure)
    pipeline = write_pipeline(f"  - {place}\n")
    planned = hcs("plan", plate, pipeline, "-o", tmp_path / "out")
    assert "levels (table, csv), facts (json, json)" in planned.out
    document = hcs("plan", plate, pipeline, "-o", tmp_path / "out", "--json").document
    assert document["artifacts"][0] == {"name": "levels", "kind": "table", "writer": "csv", "suffix": ".csv"}
    ran = hcs("run", plate, pipeline, "-o", tmp_path / "out", "--workers", "1")
    assert ran.code == 0
    assert f", in {tmp_path / 'out'}" in ran.out
    assert "  results/levels.csv " in ran.out


def test_results_may_lie_elsewhere(plate, tmp_path):
    paths = PathPlanningConfig(materialization_results_path=tmp_path / "elsewhere")
    result = run(plate, tmp_path / "out", *STEPS, path_planning=paths)
    assert result.artifacts["levels"] == tmp_path / "elsewhere" / "levels.csv"
    assert (tmp_path / "elsewhere" / "mask" / "A01").is_dir()
    PipelineOrchestrator(plate, output=tmp_path / "out").clear()
    assert not (tmp_path / "elsewhere" / "levels.csv").exists()
    assert not (tmp_path / "elsewhere" / "mask").exists()


def test_the_result_gives_tables_of_the_plate_and_of_a_well(plate, tmp_path):
    result = run(plate, tmp_path / "out", Step(measure))
    assert list(result) == list(WELLS)
    assert len(result.tables["levels"]) == len(places())
    assert result.tables["levels"]["mean"].tolist() == [
        stack(plate, well, site, channel)[z - 1].mean() for well, site, channel, z in places()
    ]
    well = result["B03"]
    assert (well.status, well.sites, well.error) == ("ok", (1, 2), None)
    assert well.outputs == (tmp_path / "out" / "images.zarr",)
    assert well.seconds > 0
    assert set(well.tables["levels"]["Metadata_Well"].tolist()) == {"B03"}
    with pytest.raises(KeyError):
        result["H12"]
    with pytest.raises(KeyError):
        result.tables["nothing"]


@step_function(out="", makes={"levels": "table"})
def finds_nothing_on_dark_planes(image):
    return {"mean": [image.mean()], "name": ["x"]} if image.mean() > np.inf else {"mean": [], "name": []}


def test_a_table_without_rows_has_its_columns(plate, tmp_path):
    run(plate, tmp_path / "out", Step(finds_nothing_on_dark_planes))
    text = (tmp_path / "out" / "results" / "levels.csv").read_text(encoding="utf-8")
    assert text.splitlines() == [
        "Metadata_Plate,Metadata_Well,Metadata_Site,Metadata_Time,Metadata_Channel,Metadata_Z,mean,name"
    ]


def makes(function_result, **made):
    @step_function(out="", makes=made)
    def wrong(image):
        return function_result

    return wrong


def nan():
    return float("nan")


FAULTS = {
    "no table": (makes([1, 2], spots="table"), "its table 'spots' cannot be kept: it is list, expected a mapping"),
    "rows": (makes({"a": [1], "b": []}, spots="table"), "its columns have [0, 1] rows"),
    "metadata": (
        makes({"Metadata_Well": ["A01"]}, spots="table"),
        "'Metadata_Well' begins like those that the run adds",
    ),
    "two for one": (makes(({}, {}), spots="table"), "it is tuple, expected a mapping"),
    "one for two": (
        makes({}, spots="table", facts="json"),
        "it returned dict; its signature means 2: (spots: table, facts: json)",
    ),
    "three for two": (
        makes(({}, {}, {}), spots="table", facts="json"),
        "it returned 3 things; its signature means 2",
    ),
    "no JSON": (makes(object(), facts="json"), "JSON has no object"),
    "no number": (makes({"a": nan()}, facts="json"), "not JSON compliant"),
    "no image": (makes("text", mask="image"), "its image 'mask' cannot be kept"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_not_what_the_signature_says_fails_the_well(plate, tmp_path, name):
    function, words = FAULTS[name]
    result = run(plate, tmp_path / "out", Step(function, name="last"), well_filter=["A01"])
    assert result["A01"].status == "failed"
    assert result["A01"].error.startswith("step 'last', function 'wrong', site 1: ")
    assert words in result["A01"].error


@step_function(makes={"spots": "table"})
def forgets_its_table(image):
    return image


def test_a_function_that_forgets_its_table_fails_its_well(plate, tmp_path):
    result = run(plate, tmp_path / "out", Step(forgets_its_table), well_filter=["A01"])
    assert "it returned ndarray; its signature means 2: (image, spots: table)" in result["A01"].error


@step_function(axes="zyx", out="", makes={"spots": "table"})
def one_column(image):
    return {"a": [1]}


@step_function(axes="zyx", out="", makes={"spots": "table"})
def another_column(image):
    return {"b": [1]}


def test_parts_with_other_columns_fail_their_well(plate, tmp_path):
    step = Step({"DAPI": one_column, "GFP": another_column}, name="both")
    result = run(plate, tmp_path / "out", step, well_filter=["A01"])
    assert "its table 'spots' has the columns b, and the ones before have a" in result["A01"].error


@step_function(takes={"levels": "table"})
def writes_into_a_table(image, *, levels):
    levels["mean"][0] = 0
    return image


@step_function(takes=[Taken(keyword="image_of_all", kind="image", name="mask")])
def writes_into_an_image(image, *, image_of_all):
    image_of_all[0] = 0
    return image


def test_an_image_that_several_take_cannot_be_written_into(plate, tmp_path):
    result = run(plate, tmp_path / "out", Step(segment), Step(writes_into_an_image), well_filter=["A01"])
    assert "read-only" in result["A01"].error


def test_a_table_that_is_taken_is_the_taker_s_own(plate, tmp_path):
    result = run(plate, tmp_path / "out", Step(measure), Step(writes_into_a_table), well_filter=["A01"])
    assert result.status == "ok"
    assert result.tables["levels"]["mean"].min() > 0


def test_why_a_plane_gave_no_pixels_stands_in_run_json(make_plate, tmp_path):
    plate = make_plate(wells=("A01", "A02"))
    broken = plate / "TimePoint_1" / "ZStep_2" / "plate_A02_s2_w2.TIF"
    broken.write_bytes(b"?" * broken.stat().st_size)
    result = run(plate, tmp_path / "out", Step(measure), missing="skip-site")
    assert result["A02"].sites == (1,)
    (missing,) = json.loads((tmp_path / "out" / "run.json").read_text())["missing"]
    assert (missing["well"], missing["site"], missing["state"]) == ("A02", 2, "unreadable")
    assert broken.name in missing["error"]
    sites = {
        (row["Metadata_Well"], row["Metadata_Site"]) for row in rows_of(tmp_path / "out" / "results" / "levels.csv")
    }
    assert sites == {("A01", "1"), ("A01", "2"), ("A02", "1")}
    wells = {row["Metadata_Well"]: row for row in rows_of(tmp_path / "out" / "results" / "wells.csv")}
    assert (wells["A02"]["planes_present"], wells["A02"]["planes_absent"]) == ("4", "1")
