"""What people type and what other programs read: the names, calls, files and keys that are promised, as they stand.

The texts below are what is promised to users, letter for letter but for the folders: when one of them has to change,
something breaks that others rely on.
"""

from __future__ import annotations

import csv
import inspect
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import tifffile
import yaml
import zarr

import hcs_core
from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    PipelineError,
    PipelineOrchestrator,
    RunError,
    Step,
    step_function,
)
from hcs_core.plugins import specs

PYTHON = """
import numpy as np
from hcs_core import (
    PipelineOrchestrator, Pipeline, Step, PositionGenerationStep, ImageStitchingStep, ProcessingContext,
    GlobalPipelineConfig, PathPlanningConfig, VFSConfig, ZarrConfig,
    MaterializationBackend, ZarrCompressor, ZarrChunkStrategy, Backend, Microscope,
    PluginManager, Plate, open_plate, compile_plan, step_function, hookimpl,
)

global_config = GlobalPipelineConfig(
    num_workers=5,
    path_planning=PathPlanningConfig(
        output_dir_suffix="_stitched",
        global_output_folder=outputs,
        materialization_results_path="results",
    ),
    vfs=VFSConfig(intermediate_backend=Backend.MEMORY, materialization_backend=MaterializationBackend.ZARR),
    zarr=ZarrConfig(
        store_name="images.zarr", compressor=ZarrCompressor.ZSTD, compression_level=1, shuffle=True,
        chunk_strategy=ZarrChunkStrategy.SINGLE, ome_zarr_metadata=True, write_plate_metadata=True,
    ),
    microscope=Microscope.AUTO,
    use_threading=None,
    device=None, memory_limit=None, executor="local", missing="error",
)

@step_function(memory="numpy", axes="yx", out="yx")
def subtract_background(image, *, percentile: float = 5.0):
    return np.clip(image - np.percentile(image, percentile), 0, None)

pipeline = Pipeline("nuclei", [
    Step("flat_field"),
    Step(subtract_background, percentile=2),
    Step("max_projection"),
    Step({"DAPI": [("gaussian_blur", {"sigma": 1.0}), "white_tophat"], "GFP": "gaussian_blur"}, group_by="channel"),
    PositionGenerationStep(channel="DAPI"),
    ImageStitchingStep(),
])
steps = pipeline

orchestrator = PipelineOrchestrator(plate_path, global_config=global_config)
orchestrator.initialize()
compiled_contexts = orchestrator.compile_pipelines(steps)
results = orchestrator.execute_compiled_plate(
    pipeline_definition=steps, compiled_contexts=compiled_contexts, max_workers=global_config.num_workers)
"""

YAML = """\
hcs: 1
name: nuclei
select: {wells: "B02:G11", channels: [DAPI, GFP]}
missing: skip-site            # error | skip-site | skip-well | fill
steps:
  - flat_field: {}
  - max_projection
  - by: channel
    DAPI: [gaussian_blur: {sigma: 1.0}, white_tophat]
    GFP: gaussian_blur
  - positions: {channel: DAPI}
  - stitch
"""

POSITIONS = ["Metadata_Plate", "Metadata_Well", "Metadata_Site", "y_px", "x_px", "confidence"]
STEP_KEYS = {"name", "kernel", "memory_type", "axes", "reads", "writes", "wells_to_run", "why"}
PROBLEM_KEYS = {"step", "function", "parameter", "message", "hint"}


@pytest.fixture(scope="module")
def plate_path(make_plate):
    return make_plate(wells=("B02", "C03"), grid=(2, 2), channels=("DAPI", "GFP"))


@pytest.fixture(scope="module")
def ran(plate_path, tmp_path_factory):
    """What the program of the interface leaves in the hands of who typed it."""
    names = {"plate_path": plate_path, "outputs": f"{tmp_path_factory.mktemp('outputs')}/"}
    exec(compile(PYTHON, "interface", "exec"), names)  # noqa: S102 - that is what is tested
    return names


@pytest.fixture
def pipeline_file(tmp_path):
    path = tmp_path / "nuclei.yaml"
    path.write_text(YAML, encoding="utf-8")
    return path


# --- Python -------------------------------------------------------------------------------------------------


def test_every_spec_class_is_a_users_name():
    found = [
        name
        for name, value in vars(specs).items()
        if inspect.isclass(value) and name.endswith("Spec") and not name.startswith("_")
    ]
    assert len(found) >= 10
    assert [name for name in found if getattr(hcs_core, name, None) is not getattr(specs, name)] == []


def test_the_program_runs_and_leaves_what_it_names(ran, plate_path):
    results, config = ran["results"], ran["global_config"]
    output = Path(config.path_planning.global_output_folder) / f"{plate_path.name}_stitched"
    assert results.output == output
    assert {well: found.status for well, found in results.items()} == {"B02": "ok", "C03": "ok"}
    for found in results.values():
        assert found.seconds > 0
        assert found.peak_memory_bytes > 0
        assert [path.name for path in found.outputs] == ["images.zarr"]
        assert set(found.tables) == {"positions"}
        assert len(found.tables["positions"]) == 4
    sites = zarr.open_array(output / "images.zarr" / "B" / "02" / "0" / "0", mode="r")
    mosaic = zarr.open_array(output / "images.zarr" / "B" / "02" / "stitched" / "0", mode="r")
    assert sites.shape == (1, 2, 1, 64, 96)
    assert mosaic.shape[:3] == (1, 2, 1)
    assert all(length > tile for length, tile in zip(mosaic.shape[3:], (64, 96), strict=True))
    assert set(ran["compiled_contexts"]) == {"B02", "C03"}
    with pytest.raises(AttributeError):
        ran["compiled_contexts"]["B02"].well = "A01"


def test_positions_are_a_table_with_the_columns_that_are_promised(ran):
    with (ran["results"].output / "results" / "positions.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == POSITIONS
    assert [row[1:3] for row in rows[1:]] == [[well, str(site)] for well in ("B02", "C03") for site in (1, 2, 3, 4)]
    assert min(float(row[3]) for row in rows[1:]) >= 0


def test_the_services_are_called_as_they_are_written(ran, tmp_path):
    orchestrator = ran["orchestrator"]
    workspace = orchestrator.workspace_path
    assert any(path.is_symlink() for path in workspace.rglob("*"))
    parser = orchestrator.microscope_handler.parser
    assert parser.parse_filename("notes_on_the_plate.docx") is None
    assert parser.parse_filename("plate_B02_s2_w1.TIF").site == 2
    patterns = orchestrator.microscope_handler.auto_detect_patterns(workspace)
    assert {well: set(channels) for well, channels in patterns.items()} == {
        "B02": {"DAPI", "GFP"},
        "C03": {"DAPI", "GFP"},
    }
    positions_file, _ = orchestrator.generate_positions(well="B02", input_dir=workspace, positions_dir=tmp_path)
    with positions_file.open(newline="") as file:
        assert next(csv.reader(file)) == POSITIONS
    made = orchestrator.stitch_images(
        well="B02", input_dir=workspace, output_dir=tmp_path / "mosaics", positions_file=positions_file
    )
    assert tifffile.imread(made[0]).ndim == 2
    assert orchestrator.get_stitcher() is not orchestrator.get_stitcher()


def test_several_pipelines_run_in_sequence_for_each_well_of_a_filter(plate_path, tmp_path):
    first = Pipeline("first", [Step("max_projection")])
    second = Pipeline("second", [Step("gaussian_blur", input="first")])
    config = GlobalPipelineConfig(num_workers=1)
    orchestrator = PipelineOrchestrator(plate_path, config=config, output=tmp_path / "out")
    assert orchestrator.config is config  # `config=` is the older name
    results = orchestrator.run(pipelines=[first, second], well_filter=["C03"])
    assert list(results) == ["C03"]
    assert {path.name for path in results["C03"].outputs} == {"first.zarr", "images.zarr"}


def test_a_phase_too_early_names_the_call_and_other_steps_are_refused(plate_path, ran, tmp_path):
    early = PipelineOrchestrator(plate_path, output=tmp_path / "out")
    with pytest.raises(RunError, match=r"call initialize\(\) first"):
        early.compile_pipelines([Step("max_projection")])
    with pytest.raises(RunError, match=r"compile_pipelines"):
        ran["orchestrator"].execute_compiled_plate(ran["steps"], {})
    with pytest.raises(RunError, match="gaussian_blur"):
        ran["orchestrator"].execute_compiled_plate([Step("gaussian_blur")], ran["compiled_contexts"])


@pytest.mark.parametrize(
    "word",
    ["name", "group_by", "variable_components", "input", "save", "wells", "memory", "device", "enabled"],
)
def test_the_options_of_a_step_are_reserved_words(word):
    names = {"step_function": step_function}
    with pytest.raises(PipelineError, match=word):
        exec(f"@step_function()\ndef own(image, *, {word}: int = 1): return image", names)  # noqa: S102


def test_what_a_function_computes_in_floating_point_is_rounded_into_its_dtype(plate_path, tmp_path):
    @step_function(memory="numpy", axes="yx", out="yx")
    def subtract(image, *, percentile: float = 30.0):
        return image - np.percentile(image, percentile)

    orchestrator = PipelineOrchestrator(
        plate_path, global_config=GlobalPipelineConfig(num_workers=1), output=tmp_path / "out"
    )
    result = orchestrator.run([Pipeline("p", [Step(subtract)])])
    found = zarr.open_array(result.output / "images.zarr" / "B" / "02" / "0" / "0", mode="r")
    image = tifffile.imread(next(plate_path.rglob("ZStep_1/*_B02_s1_w1.TIF")))
    exact = image.astype(float) - float(np.percentile(image, 30.0))
    assert (exact < -1).any()
    assert found.dtype == np.uint16
    assert np.abs(found[0, 0, 0] - np.clip(exact, 0, 65535)).max() <= 0.5


def test_results_print_well_here_and_in_a_notebook(ran):
    text, html = repr(ran["results"]), ran["results"]._repr_html_()
    assert "2 of 2 wells done" in text
    assert max(map(len, text.splitlines()[1:])) <= 80
    for word in ("B02", "C03", "ok", "positions"):
        assert word in text
        assert word in html
    assert html.count("<tr") == html.count("</tr>") == 3


# --- The pipeline file -----------------------------------------------------------------------------------------


def test_the_file_and_the_objects_are_the_same_without_loss(pipeline_file, tmp_path, hcs):
    loaded = Pipeline.load(pipeline_file)
    loaded.save(tmp_path / "again.yaml")
    assert Pipeline.load(tmp_path / "again.yaml") == loaded
    assert [step.name for step in loaded.steps][-2:] == ["positions", "stitch"]
    jsonschema.validate(yaml.safe_load(YAML), hcs("schema").document)


def test_the_file_runs_and_stitches(pipeline_file, plate_path, tmp_path, hcs):
    done = hcs("run", plate_path, pipeline_file, "-o", tmp_path / "out", "--workers", "1")
    assert done.code == 0, done.err
    assert (tmp_path / "out" / "images.zarr" / "C" / "03" / "stitched" / "zarr.json").is_file()


def test_an_unknown_key_is_told_with_its_line_and_what_was_meant(pipeline_file, plate_path, hcs):
    pipeline_file.write_text(YAML.replace("select:", "selcet:"), encoding="utf-8")
    done = hcs("plan", plate_path, pipeline_file)
    assert done.code == 1
    assert re.search(r"line 3\b", done.err)
    assert "Did you mean 'select'?" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(("given", "expected"), [
    ("B2", ["B02"]), ("b02", ["B02"]), ("r03c03", ["C03"]), ("A01:B06", ["B02"]), ("row:C", ["C03"]),
    ("col:1-2", ["B02"]), ("1", ["B02"]), ("~B02", ["C03"]), ("B02, C03", ["B02", "C03"]),
])  # fmt: skip
def test_wells_are_written_in_every_promised_way(given, expected, plate_path, pipeline_file, hcs, tmp_path):
    done = hcs("plan", plate_path, pipeline_file, "--wells", given, "-o", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert done.document["wells"] == expected


# --- JSON that other programs read ---------------------------------------------------------------------------------


def test_inspect_in_json(plate_path, hcs):
    found = hcs("inspect", plate_path, "--json").document
    expected = {
        "plate": plate_path.name,
        "microscope": "imagexpress",
        "wells": ["B02", "C03"],
        "sites_per_well": {"B02": 4, "C03": 4},
        "z_indexes": [1, 2],
        "timepoints": [1],
        "pixel_size_um": 0.65,
        "image_shape": [64, 96],
        "dtype": "uint16",
        "planes": {
            "present": 32, "missing": 0, "not_recorded": 0, "not_acquired": 0, "unreadable": 0, "duplicate": 0
        },
        "differences": [],
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert found["detected_by"]
    assert [(item["channel"], item["name"]) for item in found["channels"]] == [(1, "DAPI"), (2, "GFP")]


def test_plugins_in_json(hcs):
    rows = {row["name"]: row for row in hcs("plugins", "--json").document}
    assert {frozenset(row) for row in rows.values()} == {
        frozenset({"name", "distribution", "version", "status", "provides", "error"})
    }
    assert rows["imagexpress"]["provides"]["microscopes"] == ["imagexpress"]
    assert {row["status"] for row in rows.values()} <= {"ok", "disabled", "failed"}
    assert rows["imagexpress"]["error"] is None


def test_functions_in_json_and_each_alone(hcs):
    rows = hcs("functions", "--json").document
    assert len(rows) > 10
    for row in rows:
        assert set(row) >= {"name", "axes", "out", "parameters", "memory_types"}
        assert row["memory_types"]["numpy"] == "ready"
        shown = hcs("functions", row["name"])
        assert shown.code == 0, shown.err
        for parameter in row["parameters"]:
            assert parameter["description"], f"{row['name']}: {parameter['name']}"
            assert f"  {parameter['name']}: " in shown.out
        (line,) = [line for line in shown.out.splitlines() if line.startswith("In a pipeline file:")]
        # The line that is shown can be written as it is.
        (step,) = yaml.safe_load(line.partition("file:")[2].strip())
        assert step == row["name"] or list(step) == [row["name"]]


def test_a_plan_in_json(plate_path, pipeline_file, tmp_path, hcs):
    found = hcs("plan", plate_path, pipeline_file, "-o", tmp_path / "out", "--json").document
    assert set(found) >= {
        "digest", "wells", "steps", "problems", "peak_memory_bytes_per_worker", "output_bytes", "output_files",
        "stores",
    }  # fmt: skip
    assert all(set(step) >= STEP_KEYS for step in found["steps"])
    assert [step["wells_to_run"] for step in found["steps"]] == [2] * 5
    assert [step["axes"] for step in found["steps"][-2:]] == ["syx->syx", "syx->yx"]
    assert found["problems"] == []
    assert found["peak_memory_bytes_per_worker"] > 0
    pipeline_file.write_text(YAML.replace("sigma: 1.0", "sigma: -1.0"), encoding="utf-8")
    wrong = hcs("plan", plate_path, pipeline_file, "-o", tmp_path / "out", "--json")
    assert wrong.code == 1
    (problem,) = wrong.document["problems"]
    assert set(problem) >= PROBLEM_KEYS
    assert (problem["function"], problem["parameter"]) == ("gaussian_blur", "sigma")


def test_what_a_run_tells_other_programs(plate_path, pipeline_file, tmp_path, hcs):
    command = ("run", plate_path, pipeline_file, "-o", tmp_path / "out", "--workers", "1", "--json")
    first, again = hcs(*command).document, hcs(*command).document
    for found, status in ((first, "ok"), (again, "cached")):
        assert found["status"] == "ok"
        assert set(found) >= {"status", "plan_digest", "versions", "wells", "missing", "computed", "cached"}
        assert list(found["wells"]) == ["B02", "C03"]
        for well in found["wells"].values():
            assert set(well) >= {"status", "seconds", "peak_memory_bytes", "error"}
            assert (well["status"], well["error"]) == (status, None)
    assert (first["computed"], first["cached"]) == (2, 0)
    assert (again["computed"], again["cached"]) == (0, 2)
    assert json.loads((tmp_path / "out" / "run.json").read_text()) == again
    with (tmp_path / "out" / "results" / "wells.csv").open(newline="") as file:
        assert [row["outputs"] for row in csv.DictReader(file)] == ["images.zarr", "images.zarr"]


def test_the_output_folder_is_as_promised(plate_path, pipeline_file, tmp_path, hcs):
    hcs("run", plate_path, pipeline_file, "-o", tmp_path / "out", "--workers", "1")
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert there == {"images.zarr", "results", "pipeline.yaml", "plan.json", "run.json", ".hcs"}
    assert {"wells.csv", "planes.csv", "positions.csv"} <= {
        path.name for path in (tmp_path / "out" / "results").iterdir()
    }


def test_exit_codes(plate_path, pipeline_file, tmp_path, hcs):
    out = tmp_path / "out"
    assert hcs("run", plate_path, pipeline_file, "-o", out, "--workers", "1", "-q").code == 0
    assert hcs("run", tmp_path / "nowhere", pipeline_file).code == 1
    assert hcs("run", plate_path, tmp_path / "nowhere.yaml").code == 1
    assert hcs("run", plate_path, pipeline_file, "--wokers", "1").code == 2
    (tmp_path / "config.yaml").write_text("num_wokers: 1\n")
    assert hcs("run", plate_path, pipeline_file, "--config", tmp_path / "config.yaml").code == 1
