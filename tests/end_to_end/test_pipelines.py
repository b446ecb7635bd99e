"""Pipelines on synthetic plates, compared with independent arithmetic on the files themselves."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile
import yaozarrs

from hcs_core import (
    GlobalPipelineConfig,
    PathPlanningConfig,
    Pipeline,
    PipelineOrchestrator,
    RunError,
    Step,
    ZarrConfig,
    step_function,
)
from hcs_zarr.check import check_plate


def stack(plate, well, site, channel, count=2):
    """The z-stack of a site as the files hold it."""
    files = [
        plate / "TimePoint_1" / f"ZStep_{z}" / f"plate_{well}_s{site}_w{channel}.TIF" for z in range(1, count + 1)
    ]
    return np.stack([tifffile.imread(file) for file in files])


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate()


def run(plate, tmp_path, *steps, **config):
    settings = GlobalPipelineConfig(num_workers=config.pop("workers", 1), **config)
    orchestrator = PipelineOrchestrator(plate, global_config=settings, output=tmp_path / "out")
    result = orchestrator.run([Pipeline("test", steps)])
    assert result.status == "ok", [record.fault for record in result.failed]
    for output in result.plan.outputs:
        assert check_plate(result.output / output.store) == ()
    return tmp_path / "out" / "images.zarr"


def test_a_projection_of_a_stack(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step("max_projection"))
    yaozarrs.validate_zarr_store(str(store))
    for well in ("A01", "B03"):
        for site in (1, 2):
            for channel in (1, 2):
                expected = stack(plate, well, site, channel).max(axis=0)
                np.testing.assert_array_equal(read_image(store, well, site)[0, channel - 1, 0], expected)


def test_a_chain_of_plane_wise_and_stacking_steps(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step("white_tophat", radius=100), Step("max_projection"), Step("composite"))
    pixels = read_image(store, "A01", 2)
    assert pixels.shape[1] == 1
    # A square wider than the image: what is left is what lies above the image's own minimum.
    tophat = [
        np.stack([plane - plane.min() for plane in stack(plate, "A01", 2, channel).astype(int)]).max(axis=0)
        for channel in (1, 2)
    ]
    expected = np.rint(np.mean(tophat, axis=0))
    np.testing.assert_allclose(pixels[0, 0, 0], expected, atol=0.51)


def test_a_dict_by_channel_leaves_the_others_as_they_are(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step({"GFP": ("white_tophat", {"radius": 100})}))
    pixels = read_image(store, "B03", 1)
    np.testing.assert_array_equal(pixels[0, 0], stack(plate, "B03", 1, 1))
    green = stack(plate, "B03", 1, 2)
    np.testing.assert_array_equal(pixels[0, 1], green - green.min(axis=(1, 2), keepdims=True))


def test_a_step_s_own_output_is_kept_beside_the_last(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step("max_projection", save=True), Step("composite"))
    kept = store.parent / "max_projection.zarr"
    yaozarrs.validate_zarr_store(str(kept))
    projected = [stack(plate, "A01", 1, channel).max(axis=0) for channel in (1, 2)]
    np.testing.assert_array_equal(read_image(kept, "A01", 1)[0, :, 0], projected)
    composite = read_image(store, "A01", 1)[0, 0, 0].astype(float)
    np.testing.assert_allclose(composite, np.mean(projected, axis=0), atol=0.51)


@step_function(axes="zyx")
def subtract_first(image, *, factor: float = 1.0):
    """Take the first plane from all others: a stack in, a stack out."""
    difference = image.astype(np.int32) - np.rint(image[:1] * factor).astype(np.int32)
    return np.clip(difference, 0, 65535).astype(image.dtype)


def test_a_function_of_one_s_own_gets_and_gives_a_stack(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step(subtract_first, factor=0.5))
    planes = stack(plate, "A01", 1, 2).astype(int)
    expected = np.clip(planes - np.rint(planes[:1] * 0.5), 0, 65535)
    np.testing.assert_array_equal(read_image(store, "A01", 1)[0, 1], expected)


@step_function(axes="syx")
def subtract_mean_of_sites(image):
    """Take the mean over the well's sites from each: every site waits for all."""
    return np.clip(image - image.mean(axis=0), 0, None).astype(image.dtype)


def test_a_function_that_needs_all_sites_of_a_well(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step("max_projection"), Step(subtract_mean_of_sites))
    sites = np.stack([stack(plate, "A01", site, 1).max(axis=0) for site in (1, 2)])
    expected = np.clip(sites - sites.mean(axis=0), 0, None).astype("uint16")
    for site in (1, 2):
        np.testing.assert_array_equal(read_image(store, "A01", site)[0, 0, 0], expected[site - 1])


@pytest.mark.parametrize(("workers", "threads"), [(2, True), (2, False)])
def test_threads_and_processes_make_what_the_calling_process_makes(plate, tmp_path, read_image, workers, threads):
    steps = [Step("gaussian_blur", sigma=1.5), Step("max_projection"), Step("percentile_normalize")]
    here = run(plate, tmp_path / "here", *steps)
    there = run(plate, tmp_path / "there", *steps, workers=workers, use_threading=threads)
    for well in ("A01", "B03"):
        for site in (1, 2):
            for level in (0,):
                np.testing.assert_array_equal(
                    read_image(here, well, site, level), read_image(there, well, site, level)
                )


@pytest.mark.parametrize("compressor", ["none", "lz4", "zstd", "gzip"])
@pytest.mark.parametrize("strategy", ["plane", "single", "tiled"])
def test_every_way_to_store_gives_the_same_pixels(plate, tmp_path, read_image, compressor, strategy):
    store = run(plate, tmp_path, zarr=ZarrConfig(compressor=compressor, chunk_strategy=strategy))
    np.testing.assert_array_equal(read_image(store, "B03", 2)[0, 1], stack(plate, "B03", 2, 2))
    metadata = json.loads((store / "B" / "03" / "0" / "0" / "zarr.json").read_text())
    chunk = metadata["chunk_grid"]["configuration"]["chunk_shape"]
    assert chunk == ([1, 2, 2, 64, 96] if strategy == "single" else [1, 1, 1, 64, 96])
    codecs = [codec["name"] for codec in metadata["codecs"]]
    assert codecs == {"none": ["bytes"], "gzip": ["bytes", "gzip"]}.get(compressor, ["bytes", "blosc"])


@pytest.mark.parametrize(
    ("how", "files"),
    [
        ({}, "c/0/[01]/[01]/0/0"),
        ({"ome_zarr_version": "0.4"}, "0/[01]/[01]/0/0"),
        ({"shards": "image"}, "c/0/0/0/0/0"),
        ({"shards": "image", "chunk_strategy": "tiled"}, "c/0/0/0/0/0"),
    ],
)
def test_versions_and_shards_give_the_same_pixels(plate, tmp_path, read_image, how, files):
    store = run(plate, tmp_path, zarr=ZarrConfig(**how))
    np.testing.assert_array_equal(read_image(store, "B03", 2)[0, 1], stack(plate, "B03", 2, 2))
    level = store / "B" / "03" / "1" / "0"
    written = [path for path in level.rglob("*") if path.is_file() and path.name.isdigit()]
    assert sorted(written) == sorted(level.glob(files))
    assert len(written) == (1 if "shards" in how else 4)


def test_the_selection_is_what_is_worked_on(plate, hcs, write_pipeline, tmp_path, read_image, read_attributes):
    steps = write_pipeline("  - max_projection\n")
    ran = hcs(
        "run", plate, steps, "-o", tmp_path / "out", "--wells", "b3", "--channels", "GFP", "--sites", "2", "--z", "2"
    )
    assert ran.code == 0, ran.err
    store = tmp_path / "out" / "images.zarr"
    assert [well["path"] for well in read_attributes(store)["plate"]["wells"]] == ["B/03"]
    assert [item["path"] for item in read_attributes(store, "B/03")["well"]["images"]] == ["1"]
    np.testing.assert_array_equal(read_image(store, "B03", 2)[0, 0, 0], stack(plate, "B03", 2, 2)[1])


def test_the_table_of_wells_lies_where_the_configuration_says(plate, tmp_path):
    run(plate, tmp_path, Step("max_projection"))
    with (tmp_path / "out" / "results" / "wells.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["Metadata_Plate"], row["Metadata_Well"], row["status"]) for row in rows] == [
        ("plate", "A01", "ok"),
        ("plate", "B03", "ok"),
    ]
    elsewhere = PathPlanningConfig(materialization_results_path=tmp_path / "tables")
    run(plate, tmp_path / "second", Step("max_projection"), path_planning=elsewhere)
    assert (tmp_path / "tables" / "wells.csv").is_file()
    assert not (tmp_path / "second" / "out" / "results").exists()
    within = PathPlanningConfig(materialization_results_path=plate / "tables")
    with pytest.raises(RunError, match="within the plate"):
        run(plate, tmp_path / "third", path_planning=within)
    assert not (plate / "tables").exists()


def test_timepoints_stay_apart(make_plate, tmp_path, read_image):
    plate = make_plate(timepoint_count=3, z_count=1, wells=("C05",), grid=(1, 1), channels=("DAPI",))
    store = run(plate, tmp_path)
    pixels = read_image(store, "C05", 1)
    assert pixels.shape == (3, 1, 1, 64, 96)
    for t in (1, 2, 3):
        original = tifffile.imread(plate / f"TimePoint_{t}" / "plate_C05.TIF")
        np.testing.assert_array_equal(pixels[t - 1, 0, 0], original)


def test_a_plate_of_1536_wells_has_its_wells_in_double_letters(make_plate, tmp_path, read_attributes):
    plate = make_plate(wells=("A01", "AA01", "AF48"), grid=(1, 1), z_count=1, channels=("DAPI",))
    store = run(plate, tmp_path)
    found = read_attributes(store)["plate"]
    assert (len(found["rows"]), len(found["columns"])) == (32, 48)
    assert [(well["path"], well["rowIndex"], well["columnIndex"]) for well in found["wells"]] == [
        ("A/01", 0, 0),
        ("AA/01", 26, 0),
        ("AF/48", 31, 47),
    ]


def test_the_true_positions_of_fields_come_out_as_translations(make_plate, tmp_path, read_attributes):
    from hcs_synthetic.plate import SyntheticPlate

    facts = {"wells": ("B03",), "grid": (2, 2), "image_shape": (64, 96), "z_count": 1, "pixel_size_um": 0.5}
    store = run(make_plate(**facts), tmp_path)
    truth = SyntheticPlate(name="plate", cells_per_field=5.0, **facts).nominal_positions
    for site in (1, 2, 3, 4):
        dataset = read_attributes(store, f"B/03/{site - 1}")["multiscales"][0]["datasets"][0]
        translation = dataset["coordinateTransformations"][1]["translation"]
        centre = truth["B03", site]
        np.testing.assert_allclose(
            translation[-2:], [centre.y_um - 63 / 2 * 0.5, centre.x_um - 95 / 2 * 0.5], atol=1e-6
        )
