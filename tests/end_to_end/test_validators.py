"""What `hcs run` leaves of a real plate, before every validator and in every reader; pixels against the files."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile

from hcs_zarr.check import check_plate

pytestmark = pytest.mark.validators
WELLS = ("B02", "B03")
SITES = (1, 2)


def needed(name):
    """Import another project's library, or skip; under HCS_REQUIRE_VALIDATORS its absence is a failure."""
    if importlib.util.find_spec(name) is None and not os.environ.get("HCS_REQUIRE_VALIDATORS"):
        pytest.skip(f"{name} is not installed: uv sync --group validators")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def plate(samples):
    return samples / "9987_Plate_3434"


@pytest.fixture
def store(plate, hcs, write_pipeline, tmp_path):
    assert hcs("run", plate, write_pipeline(), "-o", tmp_path / "out").code == 0
    return tmp_path / "out" / "images.zarr"


def files(plate, well, site):
    """The (c, z, y, x) of a site as the files hold it."""
    folder = plate / "TimePoint_1"
    return np.stack(
        [
            np.stack([tifffile.imread(folder / f"ZStep_{z}" / f"9987_{well}_s{site}_w{c}.TIF") for z in (1, 2)])
            for c in (1, 2, 3)
        ]
    )


def test_our_own_checks_find_nothing(store):
    assert check_plate(store) == ()


def test_ome_zarr_models_accepts_it(store):
    needed("ome_zarr_models")
    command = [Path(sys.executable).with_name("ome-zarr-models"), "validate", store]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.filterwarnings("ignore")
def test_ngff_zarr_accepts_it(store):
    ngff_zarr = needed("ngff_zarr")
    plate = ngff_zarr.from_hcs_zarr(str(store), validate=True)
    assert [listed.path for listed in plate.metadata.wells] == ["B/02", "B/03"]
    for listed in plate.metadata.wells:
        assert len(plate.get_well(*listed.path.split("/")).images) == len(SITES)


@pytest.mark.filterwarnings("ignore")
def test_ngio_reads_the_pixels_of_the_files(store, plate):
    ngio = needed("ngio")
    opened = ngio.open_ome_zarr_plate(str(store))
    for well in WELLS:
        for site in SITES:
            pixels = opened.get_image(well[0], well[1:], str(site - 1)).get_image().get_as_numpy()
            np.testing.assert_array_equal(np.squeeze(pixels), files(plate, well, site))


@pytest.mark.filterwarnings("ignore")
def test_ome_zarr_reads_the_pixels_of_the_files(store, plate):
    needed("ome_zarr")
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    for well in WELLS:
        for site in SITES:
            url = parse_url(str(store / well[0] / well[1:] / str(site - 1)))
            (node,) = Reader(url)()
            np.testing.assert_array_equal(np.squeeze(np.asarray(node.data[0])), files(plate, well, site))
