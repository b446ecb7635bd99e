"""Shards: many chunks in one file, read back by zarr, whatever came, in whatever order."""

from itertools import product

import numpy as np
import pytest
import zarr

from hcs_core import FinishedWell, PlaneAddress, StorageError
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.check import check_plate
from hcs_zarr.pyramid import half

CHUNKS = {
    "plane": (1, 1, 1, 70, 90),
    "tiled": (1, 1, 1, 35, 30),
    "tiled with edges": (1, 1, 1, 32, 40),
    "single": (1, 3, 4, 70, 90),
    "several planes, edges in every direction": (2, 2, 3, 32, 40),
}
SHAPE = (2, 3, 4, 70, 90)


def levels_of(pixels, count):
    """The levels of a pyramid, plane by plane."""
    for _ in range(count):
        yield pixels
        planes = np.stack([half(plane) for plane in pixels.reshape(-1, *pixels.shape[3:])])
        pixels = planes.reshape(*pixels.shape[:3], *planes.shape[1:])


def files_of(array):
    return sorted(
        path.relative_to(array).as_posix() for path in array.rglob("*") if path.name.isdigit() and path.is_file()
    )


def chunks_in(shard, count):
    """The bytes of each chunk of a shard in C order, by the specification's text; `None` for one that is absent."""
    content = shard.read_bytes()
    index = np.frombuffer(content[-4 - 16 * count : -4], "<u8").reshape(-1, 2).tolist()
    return [None if start == 2**64 - 1 else content[start : start + length] for start, length in index]


@pytest.fixture
def open_store(tmp_path):
    """Declare site 1 of A01 in a new store."""

    def make(layout):
        store = ZarrBackend().open(tmp_path, layout)
        store.declare({"A01": (1,)})
        return store

    return make


@pytest.mark.parametrize(
    ("chunk", "codec", "level", "shuffle"),
    [
        *((chunk, "zstd", 1, True) for chunk in CHUNKS.values()),
        *(
            (CHUNKS["tiled"], *packing)
            for packing in (
                ("none", 1, True), ("lz4", 1, True), ("lz4", 9, False), ("zstd", 3, False), ("gzip", 4, True),
            )
        ),
    ],
)  # fmt: skip
def test_zarr_reads_what_was_written(write_plate, make_sharded, chunk, codec, level, shuffle):
    layout = make_sharded(shape=SHAPE, chunk=chunk, codec=codec, level=level, shuffle=shuffle, smallest=40)
    written = write_plate(layout, sites=(1,))
    levels = list(levels_of(written.image("A01", 1), len(layout.image.level_shapes)))
    assert len(levels) == 3
    for number, expected in enumerate(levels):
        folder = written.path / "A/01/0" / str(number)
        assert np.array_equal(zarr.open_array(folder, mode="r")[:], expected)
        # One file for each image, level and timepoint of a chunk.
        assert files_of(folder) == [f"c/{t}/0/0/0/0" for t in range(SHAPE[0] // chunk[0])]


@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 2, 1, 35, 45)])
def test_a_good_plate_has_no_defect(write_plate, make_sharded, chunk):
    assert check_plate(write_plate(make_sharded(chunk=chunk, smallest=40), sites=(1,)).path) == ()


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd"])
@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 1, 1, 32, 40)])
def test_chunks_in_a_shard_are_the_bytes_that_zarr_writes(write_plate, make_sharded, codec, chunk):
    written = write_plate(make_sharded(codec=codec, chunk=chunk), sites=(1,))
    ours = written.path / "A/01/0/0"
    twin = written.path.parent / "twin"
    twin.mkdir()
    (twin / "zarr.json").write_bytes((ours / "zarr.json").read_bytes())
    zarr.open_array(twin, mode="r+")[:] = written.image("A01", 1)
    (name,) = files_of(ours)
    count = 4 * -(-70 // chunk[3]) * -(-90 // chunk[4])
    assert (ours / name).stat().st_size == (twin / name).stat().st_size
    assert chunks_in(ours / name, count) == chunks_in(twin / name, count)
    assert None not in chunks_in(ours / name, count)


@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 1, 1, 32, 40), (1, 1, 2, 70, 90)])
def test_planes_may_come_in_any_order(open_store, make_sharded, addresses, random_plane, chunk):
    layout = make_sharded(shape=(2, 2, 4, 70, 90), chunk=chunk)
    store = open_store(layout)
    well = store.open_well("A01")
    generator = np.random.default_rng(0)
    planes = {address: random_plane(generator, layout) for address in addresses(layout, (1,))}
    for index in generator.permutation(len(planes)):
        address = list(planes)[index]
        well.write(address, planes[address])
        assert np.array_equal(well.read(address), planes[address])
    well.close()
    pixels = zarr.open_array(store.root / "A/01/0/0", mode="r")[:]
    for address, plane in planes.items():
        assert np.array_equal(pixels[address.t, address.c, address.z], plane)


def test_a_shard_is_readable_once_its_last_plane_is_there(open_store, make_sharded, addresses, random_plane):
    layout = make_sharded()
    store = open_store(layout)
    well = store.open_well("A01")
    generator = np.random.default_rng(0)
    planes = {address: random_plane(generator, layout) for address in addresses(layout, (1,))}
    for address, plane in planes.items():
        well.write(address, plane)
    pixels = zarr.open_array(store.root / "A/01/0/0", mode="r")[:]
    assert all(np.array_equal(pixels[a.t, a.c, a.z], plane) for a, plane in planes.items())


def test_absent_planes_are_absent_chunks(open_store, make_sharded, random_plane):
    layout = make_sharded(shape=(2, 2, 3, 70, 90), chunk=(1, 1, 1, 35, 45))
    store = open_store(layout)
    well = store.open_well("A01")
    plane = random_plane(np.random.default_rng(0), layout)
    there = PlaneAddress(site=1, t=0, c=1, z=2)
    well.write(there, plane)
    summary = well.close()
    store.finish_well(FinishedWell(well="A01", sites=(1,), summary=summary))
    level = store.root / "A/01/0/0"
    # The second timepoint has no plane at all, and no file.
    assert files_of(level) == ["c/0/0/0/0/0"]
    chunks = chunks_in(level / "c/0/0/0/0/0", 2 * 3 * 4)
    assert [chunk is not None for chunk in chunks] == [False] * 20 + [True] * 4
    for opened in (well, store.open_well("A01")):
        assert np.array_equal(opened.read(there), plane)
        for t, c, z in product(range(2), range(2), range(3)):
            address = PlaneAddress(site=1, t=t, c=c, z=z)
            if address != there:
                with pytest.raises(StorageError, match="was not written"):
                    opened.read(address)
    assert "44 absent chunks" in check_plate(store.root)[0]
    assert check_plate(store.root, allow_absent_chunks=True) == ()


@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 1, 1, 32, 40), (1, 2, 2, 32, 40)])
def test_a_plane_that_is_written_again_replaces_only_itself(write_plate, make_sharded, chunk):
    written = write_plate(make_sharded(chunk=chunk), sites=(1,))
    address = PlaneAddress(site=1, t=0, c=1, z=0)
    again = 65535 - written.truth["A01", address]
    well = written.store.open_well("A01")
    for plane in (again // 2, again):
        well.write(address, plane)
    assert np.array_equal(well.read(address), again)
    well.close()
    written.truth["A01", address] = again
    expected = list(levels_of(written.image("A01", 1), 4))
    for level, pixels in enumerate(expected):
        assert np.array_equal(zarr.open_array(written.path / "A/01/0" / str(level), mode="r")[:], pixels)


@pytest.mark.parametrize("left", ["no index", "cut short", "nothing"])
def test_what_a_killed_writer_left_is_no_hindrance(open_store, make_sharded, addresses, random_plane, left):
    layout = make_sharded()
    store = open_store(layout)
    generator = np.random.default_rng(0)
    first, *others = addresses(layout, (1,))
    old = store.open_well("A01")
    for address in [first] if left == "no index" else [first, *others]:
        old.write(address, random_plane(generator, layout))
    shard = store.root / "A/01/0/0/c/0/0/0/0/0"
    shard.write_bytes(shard.read_bytes()[: {"no index": None, "cut short": 1000, "nothing": 0}[left]])
    planes = {address: random_plane(generator, layout) for address in (first, *others)}
    new = store.open_well("A01")
    for address, plane in planes.items():
        new.write(address, plane)
    new.close()
    pixels = zarr.open_array(store.root / "A/01/0/0", mode="r")[:]
    for address, plane in planes.items():
        assert np.array_equal(pixels[address.t, address.c, address.z], plane)


def test_nothing_is_held_but_the_index(open_store, make_sharded):
    layout = make_sharded(shape=(1, 1, 40, 64, 64), smallest=100, codec="none")
    well = open_store(layout).open_well("A01")
    for z in range(39):
        well.write(PlaneAddress(site=1, t=0, c=0, z=z), np.zeros((64, 64), np.uint16))
        (shard,) = well._folder.rglob("c/0/0/0/0/0")
        # What was written is on disk, although the shard lacks planes and its index.
        assert shard.stat().st_size == (z + 1) * 64 * 64 * 2


def test_a_damaged_shard_is_an_error_that_names_the_array(write_plate, make_sharded):
    written = write_plate(make_sharded(codec="zstd"), sites=(1,))
    shard = written.path / "A/01/0/0/c/0/0/0/0/0"
    whole = shard.read_bytes()
    for content in (whole[:-1], whole[:10], whole[:-30] + b"x" + whole[-29:]):
        shard.write_bytes(content)
        with pytest.raises(StorageError, match=r"A/01/0/0 cannot be read .* discard the well"):
            written.store.open_well("A01").read(PlaneAddress(site=1, t=0, c=0, z=0))
        assert any("cannot be decoded" in defect for defect in check_plate(written.path))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"ome_zarr_version": "0.4", "shard": (1, 2, 2, 70, 90)}, r"OME-Zarr 0\.4 has none; write 0\.5"),
        ({"shard": (1, 2, 2, 70, 91)}, "not made of whole chunks"),
        ({"shard": (1, 2, 2, 35, 90)}, "not made of whole chunks"),
        ({"ome_zarr_version": "0.6"}, r"version '0\.6' of images\.zarr is not written here: write one of 0\.4, 0\.5"),
    ],
)
def test_a_layout_that_cannot_be_stored_is_refused(tmp_path, make_sharded, facts, message):
    with pytest.raises(StorageError, match=message):
        ZarrBackend().open(tmp_path, make_sharded(**({"shard": None} | facts)))


def test_a_shard_may_hold_a_part_of_an_image(write_plate, make_sharded):
    layout = make_sharded(shape=SHAPE, chunk=(1, 1, 1, 32, 40), shard=(2, 2, 3, 64, 80), smallest=40)
    written = write_plate(layout, sites=(1,))
    folder = written.path / "A/01/0/0"
    assert np.array_equal(zarr.open_array(folder, mode="r")[:], written.image("A01", 1))
    assert files_of(folder) == [f"c/0/{c}/{z}/{y}/{x}" for c, z, y, x in product(range(2), repeat=4)]
