"""Results kept as OME-TIFF by `hcs run --backend disk`: every file against the plane that it came from."""

from __future__ import annotations

import itertools
import json

import numpy as np
import ome_types
import pytest
import tifffile

WELLS, SITES, CHANNELS, SLICES = ("A01", "B03"), (1, 2), ("DAPI", "GFP"), (1, 2)
PIXEL_UM = 0.5


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(pixel_size_um=PIXEL_UM)


def original(plate, well, site, channel, z):
    return tifffile.imread(plate / "TimePoint_1" / f"ZStep_{z}" / f"plate_{well}_s{site}_w{channel}.TIF")


def store_of(output):
    (index,) = output.glob("images*/index.json")
    return index.parent


def file_of(store, well, site, channel, z):
    return store / well / f"{well}_s{site:03d}_w{channel:02d}_z{z:03d}_t001.ome.tif"


def run(hcs, plate, pipeline, output, *options):
    ran = hcs("run", plate, pipeline, "-o", output, "--backend", "disk", *options)
    assert ran.code == 0, ran.err
    return store_of(output)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_plane_is_the_one_it_came_from(plate, hcs, write_pipeline, tmp_path, workers):
    store = run(hcs, plate, write_pipeline(), tmp_path / "out", "--workers", workers)
    names = set()
    for well, site, channel, z in itertools.product(WELLS, SITES, (1, 2), SLICES):
        path = file_of(store, well, site, channel, z)
        names.add(path)
        np.testing.assert_array_equal(tifffile.imread(path), original(plate, well, site, channel, z))
    assert set(store.rglob("*.tif")) == names
    assert {path.name for path in store.iterdir()} == {*WELLS, "index.json"}


def test_a_projection_has_one_slice_and_the_plate_s_positions(plate, hcs, write_pipeline, tmp_path):
    from hcs_synthetic.plate import SyntheticPlate

    store = run(hcs, plate, write_pipeline("  - max_projection\n"), tmp_path / "out")
    facts = {"name": "plate", "wells": WELLS, "grid": (1, 2), "image_shape": (64, 96), "pixel_size_um": PIXEL_UM}
    truth = SyntheticPlate(cells_per_field=5.0, z_count=2, **facts).nominal_positions
    for well, site, channel in itertools.product(WELLS, SITES, (1, 2)):
        path = file_of(store, well, site, channel, 1)
        expected = np.max([original(plate, well, site, channel, z) for z in SLICES], axis=0)
        np.testing.assert_array_equal(tifffile.imread(path), expected)
        with tifffile.TiffFile(path) as tiff:
            pixels = ome_types.from_xml(tiff.ome_metadata).images[0].pixels
        assert pixels.channels[0].name == CHANNELS[channel - 1]
        assert (pixels.physical_size_x, pixels.physical_size_y) == (PIXEL_UM, PIXEL_UM)
        centre = truth[well, site]
        assert pixels.planes[0].position_y == pytest.approx(centre.y_um, abs=1e-6)
        assert pixels.planes[0].position_x == pytest.approx(centre.x_um, abs=1e-6)


def test_a_rerun_makes_only_what_is_not_there(plate, hcs, write_pipeline, tmp_path):
    pipeline, output = write_pipeline(), tmp_path / "out"
    store = run(hcs, plate, pipeline, output, "--wells", "A01")
    assert list(json.loads((store / "index.json").read_text())["wells"]) == ["A01"]
    kept = file_of(store, "A01", 1, 1, 1)
    before = kept.stat().st_mtime_ns
    run(hcs, plate, pipeline, output)
    statuses = {name: well["status"] for name, well in json.loads((output / "run.json").read_text())["wells"].items()}
    assert statuses == {"A01": "cached", "B03": "ok"}
    assert kept.stat().st_mtime_ns == before
    assert list(json.loads((store / "index.json").read_text())["wells"]) == ["A01", "B03"]


def test_a_well_that_fails_leaves_nothing(make_plate, hcs, write_pipeline, tmp_path):
    plate = make_plate()
    broken = plate / "TimePoint_1" / "ZStep_2" / "plate_B03_s2_w2.TIF"
    broken.write_bytes(broken.read_bytes()[:-100])
    ran = hcs("run", plate, write_pipeline(), "-o", tmp_path / "out", "--backend", "disk")
    assert ran.code == 3
    store = store_of(tmp_path / "out")
    assert {path.name for path in store.iterdir()} == {"A01", "index.json"}
    assert len(list((store / "A01").iterdir())) == 8
