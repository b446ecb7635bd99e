"""Planes in memory: the very arrays, until they are dropped."""

import gc
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hcs_core import (
    ChannelLayout,
    Compression,
    Droppable,
    FinishedWell,
    ImageLayout,
    ImageStore,
    PlaneAddress,
    PluginManager,
    StorageBackend,
    StorageError,
    StoreLayout,
    WellStore,
)
from hcs_memory import plugin
from hcs_memory.backend import MemoryBackend

LAYOUT = StoreLayout(
    name="step.zarr",
    plate_name="Plate 7",
    plate_format=(8, 12),
    image=ImageLayout(
        shape=(1, 2, 3, 20, 30),
        dtype="uint16",
        channels=(ChannelLayout(name="DAPI"), ChannelLayout(name="GFP")),
        level_shapes=((20, 30),),
        chunk=(1, 1, 1, 20, 30),
    ),
    compression=Compression(),
    field_count=2,
)
FIRST = PlaneAddress(site=1, t=0, c=0, z=0)


@pytest.fixture
def store(tmp_path):
    opened = MemoryBackend().open(tmp_path / "nowhere", LAYOUT)
    opened.declare({"A01": (1, 2), "A02": (1, 2)})
    return opened


def plane(value=1, shape=(20, 30), dtype=np.uint16):
    return np.full(shape, value, dtype)


def test_the_backend_is_found_by_its_name_and_is_not_durable():
    manager = PluginManager()
    manager.register(plugin, name="memory")
    assert manager.storage_backends.load("memory") is MemoryBackend
    assert not manager.storage_backends.get("memory").durable


def test_declaring_it_imports_nothing_heavy():
    code = (
        "import sys, hcs_memory.plugin as p; list(p.hcs_storage_backends());"
        "print([m for m in ('numpy', 'zarr', 'cv2', 'tifffile') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_follows_the_protocols(store):
    assert isinstance(MemoryBackend(), StorageBackend)
    assert isinstance(store, ImageStore)
    assert isinstance(store.open_well("A01"), WellStore)
    assert isinstance(store.open_well("A01"), Droppable)


def test_what_is_read_is_the_very_array_that_was_written(store):
    written = plane()
    store.open_well("A01").write(FIRST, written)
    assert store.open_well("A01").read(FIRST) is written
    again = plane(2)
    store.open_well("A01").write(FIRST, again)
    assert store.open_well("A01").read(FIRST) is again


def test_nothing_is_written_to_disk(store, tmp_path):
    well = store.open_well("A01")
    well.write(FIRST, plane())
    store.finish_well(FinishedWell(well="A01", sites=(1, 2), summary=well.close()))
    assert not list(tmp_path.iterdir())


def test_what_was_not_written_or_was_dropped_cannot_be_read(store):
    well = store.open_well("A01")
    with pytest.raises(StorageError, match=r"site 1, t 0, c 0, z 0 .* was not written"):
        well.read(FIRST)
    well.write(FIRST, plane())
    well.drop(FIRST)
    with pytest.raises(StorageError, match=r"well A01.*was dropped"):
        well.read(FIRST)
    well.drop(FIRST)


def test_dropping_frees_the_memory(store):
    well = store.open_well("A01")
    held = plane()
    watch = weakref.ref(held)
    well.write(FIRST, held)
    del held
    assert watch() is not None
    well.drop(FIRST)
    gc.collect()
    assert watch() is None


@pytest.mark.parametrize("wrong", [plane(shape=(30, 20)), plane(dtype=np.uint8), plane(dtype=np.float32)])
def test_a_plane_of_another_shape_or_dtype_is_refused(store, wrong):
    with pytest.raises(StorageError, match=r"declared with uint16 \(20, 30\)"):
        store.open_well("A01").write(FIRST, wrong)


@pytest.mark.parametrize("index", [(1, 0, 0), (0, 2, 0), (0, 0, 3), (0, 0, -1)])
def test_an_address_outside_the_layout_is_refused(store, index):
    t, c, z = index
    with pytest.raises(StorageError, match="outside the layout"):
        store.open_well("A01").write(PlaneAddress(site=1, t=t, c=c, z=z), plane())


def test_a_site_or_well_that_was_not_declared_is_refused(store):
    with pytest.raises(StorageError, match="site that was not declared"):
        store.open_well("A01").write(PlaneAddress(site=3, t=0, c=0, z=0), plane())
    with pytest.raises(StorageError, match=r"B01 is not in step.zarr"):
        store.open_well("B01")
    with pytest.raises(StorageError, match=r"B01 is not in step.zarr"):
        store.finish_well(FinishedWell(well="B01", sites=(1,)))
    with pytest.raises(StorageError, match="sites 3, 4 of well A01"):
        store.finish_well(FinishedWell(well="A01", sites=(1, 3, 4)))


def test_wells_are_listed_once_they_are_finished_in_the_plates_order(tmp_path):
    store = MemoryBackend().open(tmp_path, LAYOUT)
    store.declare({"AA01": (1,), "b2": (1,), "A10": (1,)})
    assert store.finished_wells() == ()
    for well in ("AA01", "B02", "a10"):
        store.finish_well(FinishedWell(well=well, sites=(1,)))
    assert store.finished_wells() == ("A10", "B02", "AA01")


def test_an_unfinished_well_starts_afresh_and_a_finished_one_is_left_alone(store):
    for well in ("A01", "A02"):
        store.open_well(well).write(FIRST, plane())
    store.finish_well(FinishedWell(well="A01", sites=(1, 2)))
    store.declare({"A01": (1,), "A02": (1,)})
    assert np.array_equal(store.open_well("A01").read(FIRST), plane())
    with pytest.raises(StorageError, match="was not written"):
        store.open_well("A02").read(FIRST)


def test_discarding_forgets_the_well_and_its_planes(store):
    held = plane()
    watch = weakref.ref(held)
    store.open_well("A01").write(FIRST, held)
    store.finish_well(FinishedWell(well="A01", sites=(1, 2)))
    del held
    store.discard_well("a1")
    store.discard_well("A01")
    gc.collect()
    assert watch() is None
    assert store.finished_wells() == ()
    with pytest.raises(StorageError, match="A01 is not in"):
        store.open_well("A01")


def test_the_summary_counts_what_was_written(store):
    well = store.open_well("A01")
    for z in range(3):
        well.write(PlaneAddress(site=2, t=0, c=1, z=z), plane(z))
    summary = well.close()
    assert summary.bytes_written == 3 * 20 * 30 * 2
    assert summary.windows == ()
    assert np.array_equal(well.read(PlaneAddress(site=2, t=0, c=1, z=2)), plane(2))


def test_two_stores_do_not_know_of_each_other(tmp_path, store):
    store.open_well("A01").write(FIRST, plane())
    other = MemoryBackend().open(tmp_path / "nowhere", LAYOUT)
    other.declare({"A01": (1, 2)})
    with pytest.raises(StorageError, match="was not written"):
        other.open_well("A01").read(FIRST)


def test_threads_write_wells_of_one_store(tmp_path):
    store = MemoryBackend().open(tmp_path, LAYOUT)
    wells = [f"A{column:02d}" for column in range(1, 9)]
    store.declare(dict.fromkeys(wells, (1, 2)))

    def write(well):
        images = store.open_well(well)
        for site in (1, 2):
            for z in range(3):
                images.write(PlaneAddress(site=site, t=0, c=0, z=z), plane(100 * int(well[1:]) + 10 * site + z))
        return images.close().bytes_written

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, wells)) == [6 * 20 * 30 * 2] * len(wells)
    for well in wells:
        read = store.open_well(well).read(PlaneAddress(site=2, t=0, c=0, z=1))
        assert np.array_equal(read, plane(100 * int(well[1:]) + 21))
