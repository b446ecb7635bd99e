"""Channels that differ in z side by side in one plate, and what kernels and stores get of them, against the files."""

from __future__ import annotations

import csv
import itertools
import shutil

import numpy as np
import pytest
import tifffile
import yaozarrs

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Selection, Step, step_function
from hcs_zarr.check import check_plate

WELLS, SITES = ("A01", "B03"), (1, 2)
STACK, BOTH, FLAT, SINGLE = 1, 2, 3, 4


def file(plate, well, site, channel, z):
    if (plate / "TimePoint_1").is_dir():
        return plate / "TimePoint_1" / f"ZStep_{z}" / f"plate_{well}_s{site}_w{channel}.TIF"
    # A copy of the database: a GUID in each name, and projections beside the folders of slices.
    guid = f"{int(well[1:]):02}{site:02}{channel:02}{z:02}-0000-4000-8000-ABCDEF012345"
    return plate / "2023-02-21" / "1334" / (f"ZStep_{z}" if z else "") / f"plate_{well}_s{site}_w{channel}{guid}.tif"


def pixels(plate, well, site, channel, z):
    return tifffile.imread(file(plate, well, site, channel, z))


@pytest.fixture(scope="module", params=["export", "database"])
def plate(request, export, tmp_path_factory):
    """The plate as MetaXpress exports it, and as its database holds it."""
    if request.param == "export":
        return export
    copy = tmp_path_factory.mktemp("database") / "plate"
    (copy / "2023-02-21" / "1334").mkdir(parents=True)
    for well, site, channel, z in itertools.product(WELLS, SITES, (STACK, BOTH, FLAT, SINGLE), range(4)):
        there = file(export, well, site, channel, z)
        if there.exists():
            file(copy, well, site, channel, z).parent.mkdir(exist_ok=True)
            shutil.copyfile(there, file(copy, well, site, channel, z))
    return copy


@pytest.fixture(scope="module")
def export(make_plate):
    """A plate in which w1 is a stack, w2 a stack with its projection, w3 a projection only, w4 a single plane."""
    root = make_plate(channels=("DAPI", "GFP", "Cy5", "TL"), z_count=3)
    for well in WELLS:
        for site in SITES:
            for channel in (BOTH, FLAT):
                there = file(root, well, site, channel, 0)
                there.parent.mkdir(exist_ok=True)
                stack = np.stack([pixels(root, well, site, channel, z) for z in (1, 2, 3)])
                shutil.copyfile(file(root, well, site, channel, 1), there)
                # The projection as the instrument makes it, in a file with the header of a plane.
                with tifffile.TiffFile(there) as tiff:
                    text = tiff.pages[0].description
                tifffile.imwrite(there, stack.max(axis=0), description=text, metadata=None)
            for z in (1, 2, 3):
                file(root, well, site, FLAT, z).unlink()
                if z > 1:
                    file(root, well, site, SINGLE, z).unlink()
    return root


def run(plate, tmp_path, *steps, select=None):
    orchestrator = PipelineOrchestrator(
        plate, global_config=GlobalPipelineConfig(num_workers=1), output=tmp_path / "out"
    )
    result = orchestrator.run([Pipeline("test", steps, select=select)])
    assert result.status == "ok", [record.fault for record in result.failed]
    for output in result.plan.outputs:
        assert check_plate(result.output / output.store, allow_absent_chunks=True) == ()
        yaozarrs.validate_zarr_store(str(result.output / output.store))
    return result


def table(result):
    return list(csv.DictReader((result.output / "results" / "planes.csv").read_text(encoding="utf-8").splitlines()))


def labels(result, store, read_attributes):
    return [channel["label"] for channel in read_attributes(result.output / store, "A/01/0")["omero"]["channels"]]


def test_a_conversion_keeps_slices_and_projections_apart(plate, tmp_path, read_image, read_attributes):
    result = run(plate, tmp_path)
    assert labels(result, "images.zarr", read_attributes) == ["DAPI", "GFP", "TL"]
    assert labels(result, "projections.zarr", read_attributes) == ["Cy5"]
    for well in WELLS:
        for site in SITES:
            image = read_image(result.output / "images.zarr", well, site)
            assert image.shape == (1, 3, 3, 64, 96)
            for z in (1, 2, 3):
                np.testing.assert_array_equal(image[0, 0, z - 1], pixels(plate, well, site, STACK, z))
                np.testing.assert_array_equal(image[0, 1, z - 1], pixels(plate, well, site, BOTH, z))
            np.testing.assert_array_equal(image[0, 2, 0], pixels(plate, well, site, SINGLE, 1))
            flat = read_image(result.output / "projections.zarr", well, site)
            np.testing.assert_array_equal(flat, pixels(plate, well, site, FLAT, 0)[None, None, None])


def test_places_that_stay_empty_are_no_chunks_and_are_told(plate, tmp_path):
    result = run(plate, tmp_path)
    chunks = result.output / "images.zarr" / "A" / "01" / "0" / "0" / "c" / "0" / "2"
    assert sorted(path.name for path in chunks.iterdir()) == ["0"]
    rows = table(result)
    assert len(rows) == len(WELLS) * len(SITES) * 2
    assert {(row["channel_name"], row["z_index"], row["state"], row["action"]) for row in rows} == {
        ("TL", "2", "not_acquired", "reported"),
        ("TL", "3", "not_acquired", "reported"),
    }


def test_a_projection_brings_all_channels_into_one_image(plate, tmp_path, read_image, read_attributes):
    result = run(plate, tmp_path, Step("max_projection"), Step("composite", save=False))
    assert [output.store for output in result.plan.outputs] == ["images.zarr"]
    assert table(result) == []
    projections = [
        np.stack([pixels(plate, "B03", 2, STACK, z) for z in (1, 2, 3)]).max(axis=0),
        np.stack([pixels(plate, "B03", 2, BOTH, z) for z in (1, 2, 3)]).max(axis=0),
        pixels(plate, "B03", 2, FLAT, 0),
        pixels(plate, "B03", 2, SINGLE, 1),
    ]
    expected = np.rint(np.mean(projections, axis=0, dtype=np.float64))
    np.testing.assert_array_equal(read_image(result.output / "images.zarr", "B03", 2)[0, 0, 0], expected)


def test_z_0_takes_the_instrument_s_projections(plate, tmp_path, read_image, read_attributes):
    result = run(plate, tmp_path, select=Selection(z=(0,)))
    assert labels(result, "images.zarr", read_attributes) == ["GFP", "Cy5"]
    image = read_image(result.output / "images.zarr", "A01", 1)
    np.testing.assert_array_equal(image[0, 0, 0], pixels(plate, "A01", 1, BOTH, 0))


def test_a_stack_has_only_the_planes_that_are_there(plate, tmp_path, read_image):
    @step_function(axes="zyx", out="yx")
    def count(stack):
        return np.full(stack.shape[1:], len(stack), stack.dtype)

    result = run(plate, tmp_path, Step(count))
    image = read_image(result.output / "images.zarr", "A01", 1)
    assert [int(image[0, channel, 0].max()) for channel in range(4)] == [3, 3, 1, 1]


def test_a_kernel_that_masks_is_told_which_channels_are_there(plate, tmp_path, read_image):
    @step_function(axes="cyx", out="yx", out_channel="mean", missing="mask")
    def mean_of_present(stack, *, present):
        assert not stack[~present].any()
        return np.rint(stack[present].mean(axis=0)).astype(stack.dtype)

    result = run(plate, tmp_path, Step(mean_of_present), select=Selection(channels=("DAPI", "GFP", "TL")))
    image = read_image(result.output / "images.zarr", "A01", 2)
    for z, channels in ((1, (STACK, BOTH, SINGLE)), (2, (STACK, BOTH)), (3, (STACK, BOTH))):
        expected = np.rint(np.mean([pixels(plate, "A01", 2, c, z) for c in channels], axis=0, dtype=np.float64))
        np.testing.assert_allclose(image[0, 0, z - 1], expected, atol=1)


def test_one_channel_that_is_projected_goes_to_the_projections(plate, tmp_path, read_image):
    result = run(plate, tmp_path, Step({"GFP": "max_projection"}), select=Selection(channels=("DAPI", "GFP")))
    flat = read_image(result.output / "projections.zarr", "B03", 1)
    expected = np.stack([pixels(plate, "B03", 1, BOTH, z) for z in (1, 2, 3)]).max(axis=0)
    np.testing.assert_array_equal(flat[0, 0, 0], expected)
    image = read_image(result.output / "images.zarr", "B03", 1)
    np.testing.assert_array_equal(image[0, 0, 2], pixels(plate, "B03", 1, STACK, 3))
