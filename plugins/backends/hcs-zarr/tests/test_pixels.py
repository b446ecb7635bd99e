"""What is written is what is read, by us and by zarr, whatever the packing, the chunks and the dtype."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
import zarr

from hcs_core import PlaneAddress, StorageError
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.pyramid import half

CHUNKS = {
    "plane": (1, 1, 1, 70, 90),
    "tiled": (1, 1, 1, 35, 30),
    "tiled with edges": (1, 1, 1, 32, 40),
    "single": (1, 3, 4, 70, 90),
    "several planes, edges in every direction": (2, 2, 3, 32, 40),
    "larger than the image": (9, 9, 9, 999, 999),
}


def read_level(written, well, site, level):
    image = written.path / well[0] / well[1:] / str(site - 1)
    return zarr.open_array(image / str(level), mode="r")[:]


def check_all_levels(written, well, site):
    expected = written.image(well, site)
    for level in range(len(written.layout.image.level_shapes)):
        assert np.array_equal(read_level(written, well, site, level), expected)
        planes = expected.reshape(-1, *expected.shape[3:])
        expected = np.stack([half(plane) for plane in planes])
        expected = expected.reshape(*written.layout.image.shape[:3], *expected.shape[1:])


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_compressor_and_dtype(write_plate, make_layout, codec, dtype, shuffle):
    written = write_plate(
        make_layout(codec=codec, dtype=dtype, shuffle=shuffle, shape=(1, 2, 1, 71, 93), smallest=40), sites=(2,)
    )
    check_all_levels(written, "A01", 2)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_every_way_to_divide_an_image(write_plate, make_layout, chunk, codec):
    written = write_plate(make_layout(shape=(2, 3, 4, 70, 90), chunk=chunk, codec=codec, smallest=40), sites=(1,))
    check_all_levels(written, "A01", 1)


@pytest.mark.parametrize("dtype", ["int32", "int16", "uint32", "float64", "bool"])
def test_other_dtypes(write_plate, make_layout, dtype):
    check_all_levels(write_plate(make_layout(dtype=dtype), sites=(1,)), "A01", 1)


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip"])
@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 2, 2, 32, 40)])
def test_chunks_are_the_bytes_that_zarr_writes(write_plate, make_layout, codec, chunk, disk):
    written = write_plate(make_layout(codec=codec, chunk=chunk), sites=(1,))
    ours = written.path / "A" / "01" / "0" / "0"
    twin = written.path.parent / "twin"
    twin.mkdir()
    (twin / disk.array).write_bytes((ours / disk.array).read_bytes())
    zarr.open_array(twin, mode="r+")[:] = written.image("A01", 1)
    files = sorted(path.relative_to(ours) for path in ours.rglob("*") if path.name.isdigit() and path.is_file())
    assert files == sorted(
        path.relative_to(twin) for path in twin.rglob("*") if path.name.isdigit() and path.is_file()
    )
    for file in files:
        theirs = (twin / file).read_bytes()
        # zarr's gzip notes when it packed; ours must not, or the same pixels would be other bytes each second.
        assert (ours / file).read_bytes() == (theirs[:4] + bytes(4) + theirs[8:] if codec == "gzip" else theirs)


@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 1, 1, 32, 40)])
def test_a_plane_is_on_disk_once_it_is_written(tmp_path, make_layout, random_plane, chunk, disk):
    layout = make_layout(chunk=chunk)
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    plane = random_plane(np.random.default_rng(0), layout)
    store.open_well("A01").write(PlaneAddress(site=1, t=0, c=1, z=0), plane)
    assert np.array_equal(zarr.open_array(store.root / "A" / "01" / "0" / "0")[0, 1, 0], plane)


def test_nothing_is_held_where_a_chunk_is_one_plane(tmp_path, make_layout, addresses):
    layout = make_layout(shape=(1, 1, 30, 256, 256), smallest=32)
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    kept, *others = addresses(layout, (1,))
    tracemalloc.start()
    try:
        for count, address in enumerate([kept, *others]):
            plane = np.full((256, 256), count, np.uint16)
            well.write(address, plane)
            watch = weakref.ref(plane)
            del plane
            assert watch() is None
            if count == 4:
                gc.collect()
                before = tracemalloc.get_traced_memory()[0]
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # 25 planes of the smallest level (2 kB each) are kept for the display window; a full plane has 131 kB.
    assert grown < 100_000


def test_a_chunk_of_several_planes_is_written_whole_and_once(tmp_path, make_layout, addresses, random_plane, disk):
    layout = make_layout(chunk=(1, 1, 2, 70, 90))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    generator = np.random.default_rng(0)
    planes = {address: random_plane(generator, layout) for address in addresses(layout, (1,))}
    first, second, third, _ = planes
    chunk = disk.chunk(store.root / "A/01/0/0")
    well.write(first, planes[first])
    assert not chunk.exists()
    assert np.array_equal(well.read(first), planes[first])
    with pytest.raises(StorageError, match="was not written"):
        well.read(second)
    well.write(second, planes[second])
    assert chunk.exists()
    written_at = chunk.stat().st_mtime_ns
    well.write(third, planes[third])
    well.close()
    assert chunk.stat().st_mtime_ns == written_at
    assert np.array_equal(well.read(third), planes[third])


def test_an_incomplete_chunk_is_filled_and_says_so(tmp_path, make_layout, random_plane):
    layout = make_layout(chunk=(1, 2, 2, 70, 90))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    plane = random_plane(np.random.default_rng(0), layout)
    there, absent = PlaneAddress(site=1, t=0, c=1, z=0), PlaneAddress(site=1, t=0, c=0, z=1)
    well.write(there, plane)
    well.close()
    pixels = zarr.open_array(store.root / "A" / "01" / "0" / "0", mode="r")[0]
    assert np.array_equal(pixels[1, 0], plane)
    assert not pixels[0].any()
    assert not pixels[1, 1].any()
    assert np.array_equal(well.read(there), plane)
    with pytest.raises(StorageError, match=r"c 0, z 1 .* was not written"):
        well.read(absent)


@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 2, 2, 32, 40)])
def test_a_plane_that_is_written_again_replaces_only_itself(write_plate, make_layout, chunk):
    written = write_plate(make_layout(chunk=chunk), sites=(1,))
    address = PlaneAddress(site=1, t=0, c=1, z=0)
    again = 65535 - written.truth["A01", address]
    well = written.store.open_well("A01")
    well.write(address, again)
    well.close()
    written.truth["A01", address] = again
    check_all_levels(written, "A01", 1)


@pytest.mark.parametrize("left", ["cut short", "whole"])
def test_what_a_killed_writer_left_is_no_hindrance(tmp_path, make_layout, addresses, random_plane, left, disk):
    layout = make_layout(chunk=(1, 2, 2, 70, 90))
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    generator = np.random.default_rng(0)
    old = store.open_well("A01")
    for address in addresses(layout, (1,)):
        old.write(address, random_plane(generator, layout))
    if left == "cut short":
        chunk = disk.chunk(store.root / "A/01/0/0")
        chunk.write_bytes(chunk.read_bytes()[:1000])
    planes = {address: random_plane(generator, layout) for address in addresses(layout, (1,))}
    new = store.open_well("A01")
    for address, plane in planes.items():
        new.write(address, plane)
    new.close()
    for address, plane in planes.items():
        assert np.array_equal(new.read(address), plane)


def test_planes_may_be_views_and_read_only(tmp_path, make_layout):
    layout = make_layout()
    store = ZarrBackend().open(tmp_path, layout)
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    plane = np.arange(140 * 180, dtype=np.uint16).reshape(140, 180)[::2, ::2]
    plane.flags.writeable = False
    address = PlaneAddress(site=1, t=0, c=0, z=0)
    well.write(address, plane)
    assert np.array_equal(well.read(address), plane)
