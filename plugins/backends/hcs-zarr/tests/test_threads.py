"""Wells that several threads write at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hcs_core import FinishedWell
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.check import check_plate


@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 2, 2, 35, 45)])
def test_threads_write_wells_of_one_store(tmp_path, make_layout, addresses, random_plane, chunk):
    layout = make_layout(chunk=chunk)
    store = ZarrBackend().open(tmp_path, layout)
    wells = [f"A{column:02d}" for column in range(1, 7)]
    store.declare(dict.fromkeys(wells, (1, 2)))

    def write(well):
        generator = np.random.default_rng(int(well[1:]))
        images = store.open_well(well)
        planes = {address: random_plane(generator, layout) for address in addresses(layout, (1, 2))}
        for address, plane in planes.items():
            images.write(address, plane)
        return planes, images.close()

    with ThreadPoolExecutor(4) as pool:
        results = dict(zip(wells, pool.map(write, wells), strict=True))
    for well, (planes, summary) in results.items():
        store.finish_well(FinishedWell(well=well, sites=(1, 2), summary=summary))
        for address, plane in planes.items():
            assert np.array_equal(store.open_well(well).read(address), plane)
    assert store.finished_wells() == tuple(wells)
    assert check_plate(store.root) == ()
