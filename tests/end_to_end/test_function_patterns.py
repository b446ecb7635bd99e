"""Patterns by every component, other components stacked, frames and given images: pixels against the files."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from hcs_core import (
    CompileError,
    Frame,
    GlobalPipelineConfig,
    Pipeline,
    PipelineOrchestrator,
    Selection,
    Step,
    VFSConfig,
    open_plate,
    step_function,
)
from hcs_zarr.check import check_plate


@step_function()
def invert(image):
    return np.iinfo(image.dtype).max - image


@step_function(axes="zyx", out="yx")
def last(stack):
    return stack[-1]


@step_function(frame=Frame(bin="factor"))
def block_mean(image, *, factor: int = 2):
    height, width = (side // factor for side in image.shape)
    blocks = image[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return np.rint(blocks.mean(axis=(1, 3))).astype(image.dtype)


@step_function()
def divide(image, *, profile: np.ndarray):
    return np.rint(image / profile).astype(image.dtype)


def source(plate, well, site, channel, z, t=1):
    return tifffile.imread(plate / f"TimePoint_{t}" / f"ZStep_{z}" / f"plate_{well}_s{site}_w{channel}.TIF")


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(timepoint_count=2)


def run(plate, tmp_path, *steps, pipeline=None, **config):
    settings = GlobalPipelineConfig(num_workers=1, **config)
    orchestrator = PipelineOrchestrator(plate, global_config=settings, output=tmp_path / "out")
    result = orchestrator.run([pipeline or Pipeline("test", steps)])
    assert result.status == "ok", [record.fault for record in result.failed]
    for output in result.plan.outputs:
        if output.backend == "zarr":
            assert check_plate(result.output / output.store) == ()
    return tmp_path / "out" / "images.zarr"


@pytest.mark.parametrize(
    ("component", "key", "chosen"),
    [
        ("well", "B3", lambda at: at[0] == "B03"),
        ("site", 2, lambda at: at[1] == 2),
        ("z_index", 1, lambda at: at[2] == 1),
        ("timepoint", 2, lambda at: at[3] == 2),
    ],
)
def test_a_dict_works_where_it_says_and_leaves_all_else(plate, tmp_path, read_image, component, key, chosen):
    # After it a stack, so that planes that were only given on wait for their readers as well.
    store = run(plate, tmp_path, Step({key: invert}, group_by=component, save=True, name="some"), Step(last))
    for well in ("A01", "B03"):
        for site in (1, 2):
            some = read_image(store.with_name("some.zarr"), well, site)
            final = read_image(store, well, site)
            for t in (1, 2):
                for channel in (1, 2):
                    for z in (1, 2):
                        expected = source(plate, well, site, channel, z, t)
                        if chosen((well, site, z, t)):
                            expected = 65535 - expected
                        np.testing.assert_array_equal(some[t - 1, channel - 1, z - 1], expected)
                    np.testing.assert_array_equal(final[t - 1, channel - 1, 0], some[t - 1, channel - 1, -1])


def test_branches_by_site_each_do_their_own(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step({1: [invert, invert], 2: invert}, group_by="site"))
    np.testing.assert_array_equal(read_image(store, "A01", 1)[0, 0, 0], source(plate, "A01", 1, 1, 1))
    np.testing.assert_array_equal(read_image(store, "A01", 2)[0, 0, 0], 65535 - source(plate, "A01", 2, 1, 1))


def test_time_is_stacked_in_place_of_z(plate, tmp_path, read_image):
    store = run(plate, tmp_path, Step("max_projection", variable_components=["timepoint"]))
    image = read_image(store, "B03", 2)
    assert image.shape == (1, 2, 2, 64, 96)
    for channel in (1, 2):
        for z in (1, 2):
            expected = np.maximum(source(plate, "B03", 2, channel, z, 1), source(plate, "B03", 2, channel, z, 2))
            np.testing.assert_array_equal(image[0, channel - 1, z - 1], expected)


def translation(read_attributes, store, well, site):
    transforms = read_attributes(store, f"{well[0]}/{well[1:]}/{site - 1}")["multiscales"][0]["datasets"][0]
    scale, moved = transforms["coordinateTransformations"]
    return np.array(scale["scale"][-2:]), np.array(moved["translation"][-2:])


def test_a_binned_plate_is_put_together_by_its_stage_positions(make_plate, tmp_path, read_image, read_attributes):
    """Tiles that are binned by 2 and laid where they say make the binned mosaic of those that are not."""
    plate = make_plate(
        wells=("A01",), grid=(2, 2), image_shape=(64, 64), overlap=0.25, shading=0.0, z_count=1,
        photon_noise=False, read_noise=False,
    )  # fmt: skip
    store = run(plate, tmp_path, Step("bin", factor=2))
    whole = mosaic({site: source_flat(plate, site) for site in range(1, 5)}, positions_px(plate))
    binned = whole.reshape(whole.shape[0] // 2, 2, whole.shape[1] // 2, 2).mean(axis=(1, 3))
    tiles, places = {}, {}
    for site in range(1, 5):
        scale, first = translation(read_attributes, store, "A01", site)
        tiles[site], places[site] = read_image(store, "A01", site)[0, 0, 0], first / scale
    corner = np.min(list(places.values()), axis=0)
    laid = {site: np.rint(place - corner).astype(int) for site, place in places.items()}
    for site, place in places.items():
        np.testing.assert_allclose(place - corner, laid[site], atol=1e-6)
    put_together = mosaic(tiles, laid)
    assert put_together.shape == binned.shape
    np.testing.assert_allclose(put_together, binned, atol=0.51)


def source_flat(plate, site):
    return tifffile.imread(plate / "TimePoint_1" / f"plate_A01_s{site}_w1.TIF")


def positions_px(plate):
    """The first pixel of each site in pixels of the mosaic, from the stage positions in the files' headers."""
    found = {}
    for site in range(1, 5):
        with tifffile.TiffFile(plate / "TimePoint_1" / f"plate_A01_s{site}_w1.TIF") as tiff:
            facts = tiff.pages[0].description
        y, x, pixel = (float(facts.split(f'id="{name}"')[1].split('value="')[1].split('"')[0]) for name in FACTS)
        found[site] = np.array((y, x)) / pixel
    corner = np.min(list(found.values()), axis=0)
    return {site: np.rint(place - corner).astype(int) for site, place in found.items()}


FACTS = ("OffsetFromWellCenterUmY", "OffsetFromWellCenterUmX", "spatial-calibration-x")


def mosaic(tiles, places):
    height, width = next(iter(tiles.values())).shape
    shape = np.max(list(places.values()), axis=0) + np.array([height, width])
    canvas = np.zeros(shape)
    for site in sorted(tiles):
        y, x = places[site]
        canvas[y : y + height, x : x + width] = tiles[site]
    return canvas


def test_a_crop_says_where_it_lies(plate, tmp_path, read_image, read_attributes):
    store = run(plate, tmp_path, Step("crop", y=10, x=20, height=30, width=40, save=True), Step(block_mean, factor=2))
    uncut, cutout = tmp_path / "uncut", store.with_name("crop.zarr")
    uncut.mkdir()
    whole = run(plate, uncut)
    pixel, first = translation(read_attributes, whole, "A01", 2)
    _, moved = translation(read_attributes, cutout, "A01", 2)
    np.testing.assert_allclose(moved, first + pixel * (10, 20))
    np.testing.assert_array_equal(read_image(cutout, "A01", 2)[0, 0, 0], source(plate, "A01", 2, 1, 1)[10:40, 20:60])
    scale, binned = translation(read_attributes, store, "A01", 2)
    np.testing.assert_allclose(scale, 2 * pixel)
    np.testing.assert_allclose(binned, first + pixel * (10.5, 20.5))


def test_a_profile_is_given_by_the_path_of_a_file(plate, tmp_path, read_image, monkeypatch):
    ramp = np.linspace(1, 2, 64 * 96, dtype=np.float32).reshape(64, 96)
    folder = tmp_path / "made"
    folder.mkdir()
    tifffile.imwrite(folder / "flat.tif", ramp)
    np.save(folder / "flat.npy", ramp)
    expected = np.rint(source(plate, "A01", 1, 1, 2) / ramp)
    for name in ("flat.tif", "flat.npy"):
        # Relative to the pipeline's own folder, wherever it is run from.
        pipeline = Pipeline("test", [Step(divide, profile=name)], folder=folder)
        out = tmp_path / name.partition(".")[2]
        out.mkdir()
        store = run(plate, out, pipeline=pipeline)
        np.testing.assert_array_equal(read_image(store, "A01", 1)[0, 0, 1], expected)


def test_a_profile_that_is_not_there_is_told_before_anything_is_made(plate, tmp_path):
    orchestrator = PipelineOrchestrator(plate, output=tmp_path / "out")
    (tmp_path / "text.tif").write_text("no image")
    for name, words in (("absent.tif", "absent.tif is not there"), ("text.tif", "text.tif")):
        pipeline = Pipeline("test", [Step(divide, profile=name)], folder=tmp_path)
        with pytest.raises(CompileError, match=rf"function 'divide', parameter 'profile': .*{words}"):
            orchestrator.run([pipeline])
    assert not (tmp_path / "out").exists()


def test_another_profile_under_the_same_name_is_another_run(plate, tmp_path, hcs):
    out = tmp_path / "out"
    pipeline = Pipeline("test", [Step(divide, profile="flat.npy")], folder=tmp_path)
    np.save(tmp_path / "flat.npy", np.full((64, 96), 2.0))
    first = PipelineOrchestrator(plate, output=out)
    first.run([pipeline])
    key = first.plan(pipeline).content_key
    np.save(tmp_path / "flat.npy", np.full((64, 96), 3.0))
    assert first.plan(pipeline).content_key != key


def test_the_backend_disk_names_its_stores_without_a_suffix(plate, tmp_path):
    run(
        plate,
        tmp_path,
        pipeline=Pipeline("test", [Step("gaussian_blur", sigma=1, save=True)], select=Selection(timepoints=(1,))),
        vfs=VFSConfig(materialization_backend="disk"),
    )
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {
        ".hcs", "gaussian_blur", "images", "results",
    }  # fmt: skip
    assert len(open_plate(plate).wells) == 2
