"""Planes in memory: the very arrays, until they are dropped."""

import gc
import weakref

import numpy as np
import pytest

from hcs_core import (
    ChannelLayout,
    Compression,
    Droppable,
    FinishedWell,
    ImageLayout,
    PlaneAddress,
    PluginManager,
    StorageError,
    StoreLayout,
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


def test_its_wells_can_forget_planes(store):
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
