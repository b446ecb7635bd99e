"""What a plan is told of a store's size is what is there when every plane is written."""

import subprocess
import sys

import attrs
import numpy as np
import pytest

from hcs_core import FinishedWell, PlaneAddress
from hcs_disk.backend import DiskBackend
from hcs_disk.size import store_size

WELLS = {"A01": (1, 2), "C03": (2,)}


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_files_are_counted_and_bytes_are_those_of_pixels(make_layout, tmp_path, codec):
    layout = make_layout(codec=codec, shape=(2, 2, 3, 70, 90))
    store = DiskBackend().open(tmp_path, layout)
    store.declare(WELLS)
    for well, sites in WELLS.items():
        opened = store.open_well(well)
        for site in sites:
            for t, c, z in np.ndindex(2, 2, 3):
                opened.write(PlaneAddress(site=site, t=t, c=c, z=z), np.full((70, 90), c, "uint16"))
        store.finish_well(FinishedWell(well=well, sites=sites, summary=opened.close()))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    size = store_size(layout, WELLS, {})
    assert len(files) == size.files
    assert size.bytes == 3 * 12 * 70 * 90 * 2
    planes = [path.stat().st_size for path in files if path.suffix == ".tif"]
    if codec == "none":
        # Beside its pixels a file has a header and the OME document.
        assert size.bytes < sum(planes) < size.bytes + 4096 * len(planes)
    else:
        assert sum(planes) < size.bytes


def test_mosaics_are_counted_beside_the_planes_of_sites_or_alone(make_layout):
    layout = make_layout(codec="none", shape=(2, 2, 3, 70, 90))
    mosaic = attrs.evolve(layout.image, shape=(2, 2, 1, 0, 0), level_shapes=())
    frames = {"A01": (100, 200), "C03": (120, 130)}
    both = store_size(attrs.evolve(layout, mosaic=mosaic), WELLS, frames)
    alone = store_size(attrs.evolve(layout, image=None, mosaic=mosaic), dict.fromkeys(WELLS, ()), frames)
    pixels = 4 * (100 * 200 + 120 * 130) * 2
    assert (alone.bytes, alone.files) == (pixels, 2 * 4 + 1)
    assert (both.bytes, both.files) == (pixels + 3 * 12 * 70 * 90 * 2, 2 * 4 + 3 * 12 + 1)


def test_asking_for_it_imports_no_tifffile():
    code = "import sys, hcs_disk.size; print(sorted({'tifffile', 'imagecodecs', 'pluggy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
