"""The calling process, threads and processes leave the same pixels and the same tables, in the same order."""

from __future__ import annotations

import csv
import json

import numpy as np
import zarr

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, step_function
from hcs_synthetic import Fault

WAYS = {
    "here": {"num_workers": 1},
    "threads": {"num_workers": 3, "use_threading": True},
    "processes": {"num_workers": 2, "use_threading": False},
}
OWN = {"seconds", "peak_memory_bytes"}
"""The columns that tell of a run and not of its results."""


def stores(output):
    """Every array of every store: its document, and the bytes of each stored chunk, decoded."""
    found = {}
    for document in sorted(output.glob("*.zarr/**/zarr.json")):
        name = document.parent.relative_to(output).as_posix()
        content = json.loads(document.read_text())
        found[name] = content
        if content["node_type"] == "array":
            array = zarr.open_array(document.parent, mode="r")
            chunks = sorted(
                path.relative_to(document.parent).as_posix() for path in document.parent.rglob("c/*/*/*/*/*")
            )
            found[name] = content, chunks, np.asarray(array[:]).tobytes()
    assert any(isinstance(value, tuple) for value in found.values())
    return found


def tables(output):
    """The rows of every table in their order, without what tells of the run itself."""
    found = {}
    for path in sorted([*(output / "results").glob("*.csv"), *output.glob("failed.csv")]):
        with path.open(newline="", encoding="utf-8") as file:
            found[path.name] = [
                {column: value for column, value in row.items() if column not in OWN} for row in csv.DictReader(file)
            ]
    run = json.loads((output / "run.json").read_text())
    wells = [
        (well, {key: value for key, value in record.items() if key not in OWN})
        for well, record in run["wells"].items()
    ]
    return found, wells, run["status"], run["missing"], run["kernels"]


def all_alike(plate, tmp_path, pipeline, **config):
    """Run a pipeline in each way; return what one of them left, which is what each left."""
    found = {}
    for way, how in WAYS.items():
        settings = GlobalPipelineConfig(**how, **config)
        result = PipelineOrchestrator(plate, global_config=settings, output=tmp_path / way).run([pipeline])
        found[way] = result, stores(result.output), tables(result.output)
    result, pixels, rows = found["here"]
    for way in WAYS:
        assert found[way][1] == pixels, f"pixels differ between here and {way}"
        assert found[way][2] == rows, f"tables differ between here and {way}"
        assert list(found[way][0].wells) == list(result.wells)
    return result, rows


def test_stacks_dicts_frames_and_functions_with_closures(make_plate, tmp_path):
    wells = ("A01", "A02", "B03", "C01", "C02")
    plate = make_plate(wells=wells, grid=(1, 2), z_count=3, image_shape=(40, 48))
    weights = np.linspace(0.5, 1.5, 40)[:, np.newaxis]
    chance = 12345

    @step_function()
    def weigh(image):
        # Random, and yet the same wherever it runs: the seed is its own.
        noise = np.random.default_rng(chance).integers(0, 3, image.shape)
        return np.clip(image * weights + noise, 0, 65535).astype(image.dtype)

    @step_function(axes="zyx")
    def darkest_out(stack):
        return stack - stack.min(axis=0)

    factor = 2
    steps = [
        Step({"DAPI": [weigh, ("gaussian_blur", {"sigma": 1.0})], "GFP": weigh}, name="weighed", save=True),
        Step(darkest_out),
        Step({"B3": "percentile_normalize"}, group_by="well"),
        Step("bin", factor=factor, save=True),
        Step("crop", y=2, x=3, height=16, width=18),
        Step({"DAPI": "max_projection"}, name="some_projected"),
    ]
    result, (found, *_) = all_alike(plate, tmp_path, Pipeline("mixed", steps))
    assert result.status == "ok"
    assert {path.name for path in result.output.glob("*.zarr")} == {
        "weighed.zarr", "bin.zarr", "images.zarr", "projections.zarr",
    }  # fmt: skip
    assert [row["Metadata_Well"] for row in found["wells.csv"]] == list(wells)


def test_absent_planes_and_bad_files(make_plate, tmp_path):
    faults = (
        Fault(kind="missing", wells="A02", sites=1, channels=1, z_indexes=2),
        Fault(kind="truncated", wells="B03", sites=2, channels=2, z_indexes=1),
        Fault(kind="empty", wells="C01"),
    )
    plate = make_plate(wells=("A01", "A02", "B03", "C01"), grid=(1, 2), image_shape=(32, 40), faults=faults)
    result, (found, *_) = all_alike(plate, tmp_path, Pipeline("flat", [Step("max_projection")]), missing="skip-site")
    assert {well: record.status for well, record in result.wells.items()} == {
        "A01": "ok", "A02": "ok", "B03": "ok", "C01": "skipped",
    }  # fmt: skip
    assert len(found["planes.csv"]) == 1 + 1 + 8


def test_wells_that_fail(make_plate, tmp_path):
    plate = make_plate(wells=("A01", "A02", "B03", "C01"), grid=(1, 1), z_count=1, image_shape=(32, 40))
    seen = 0

    @step_function(version="1", axes="cyx")
    def refuses(stack):
        if int(stack.astype(np.int64).sum()) % 2 != seen:
            raise ValueError("an odd sum of pixels")
        return stack

    result, (found, *_) = all_alike(plate, tmp_path, Pipeline("picky", [Step(refuses)]), missing="error")
    pixels = {record.well for record in result.failed}
    assert [row["well"] for row in found["failed.csv"]] == sorted(pixels)
    assert 0 < len(pixels) < 4, "the synthetic plate has both kinds of wells"
