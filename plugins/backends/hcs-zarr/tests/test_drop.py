"""Planes that are forgotten: gone for their well at once, and from disk where nothing else lies in their chunks."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from hcs_core import Droppable, FinishedWell, PlaneAddress, StorageError
from hcs_zarr.backend import ZarrBackend

LAYOUTS = {
    "a plane a chunk": {"chunk": (1, 1, 1, 70, 90)},
    "tiles": {"chunk": (1, 1, 1, 35, 45)},
    "an image a chunk": {"chunk": (1, 2, 2, 70, 90)},
}


def truth():
    generator = np.random.default_rng(7)
    return {
        PlaneAddress(site=1, t=0, c=c, z=z): generator.integers(1, 65535, (70, 90), np.uint16)
        for c in (0, 1)
        for z in (0, 1)
    }


def written(tmp_path, layout):
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    for address, plane in truth().items():
        well.write(address, plane)
    return store, well


def chunks(store):
    return [path for path in store.root.rglob("*") if path.is_file() and path.name.isdigit()]


@pytest.fixture(params=[*LAYOUTS, "shards"])
def layout(request, make_layout, make_sharded):
    return (
        make_sharded(chunk=(1, 1, 1, 70, 90)) if request.param == "shards" else make_layout(**LAYOUTS[request.param])
    )


def test_a_dropped_plane_cannot_be_read_and_the_others_can(tmp_path, layout):
    _, well = written(tmp_path, layout)
    assert isinstance(well, Droppable)
    first, *others = truth()
    well.drop(first)
    well.drop(first)
    with pytest.raises(StorageError, match=r"site 1, t 0, c 0, z 0 .* was not written, or was dropped"):
        well.read(first)
    for address in others:
        np.testing.assert_array_equal(well.read(address), truth()[address])


def test_a_plane_can_be_written_again_after_it_was_dropped(tmp_path, layout):
    store, well = written(tmp_path, layout)
    first = next(iter(truth()))
    well.drop(first)
    well.write(first, truth()[first] // 2)
    np.testing.assert_array_equal(well.read(first), truth()[first] // 2)
    store.finish_well(FinishedWell(well="A01", sites=(1,), summary=well.close()))
    image = zarr.open_array(store.root / "A/01/0/0", mode="r")
    for address, plane in truth().items():
        expected = plane // 2 if address == first else plane
        np.testing.assert_array_equal(image[0, address.c, address.z], expected)


def test_a_dropped_plane_is_0_for_zarr(tmp_path, layout):
    """What was forgotten before the well was closed is no part of what others read, but for what shares its chunk."""
    store, well = written(tmp_path, layout)
    first = next(iter(truth()))
    well.drop(first)
    well.close()
    image = zarr.open_array(store.root / "A/01/0/0", mode="r")
    assert not image[0, 0, 0].any() or image.chunks[:3] != (1, 1, 1)
    for address in list(truth())[1:]:
        np.testing.assert_array_equal(image[0, address.c, address.z], truth()[address])


@pytest.mark.parametrize("name", ["a plane a chunk", "tiles"])
def test_a_plane_with_chunks_of_its_own_leaves_the_disk(tmp_path, make_layout, name):
    """With all its levels."""
    store, well = written(tmp_path, make_layout(**LAYOUTS[name]))
    before = len(chunks(store))
    well.drop(next(iter(truth())))
    assert len(chunks(store)) == before * 3 // 4
    for address in truth():
        well.drop(address)
    assert chunks(store) == []


def test_an_address_outside_the_layout_is_refused(tmp_path, make_layout):
    _, well = written(tmp_path, make_layout())
    with pytest.raises(StorageError, match="outside the layout"):
        well.drop(PlaneAddress(site=1, t=0, c=2, z=0))
    with pytest.raises(StorageError, match=r"site 2 of well A01.*declare it first"):
        well.drop(PlaneAddress(site=2, t=0, c=0, z=0))


def test_what_was_never_written_is_dropped_without_a_word(tmp_path, layout):
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    store.open_well("A01").drop(next(iter(truth())))
    assert chunks(store) == []
