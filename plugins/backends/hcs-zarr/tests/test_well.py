"""What a well refuses, what it says, and its summary."""

from pathlib import Path

import numpy as np
import pytest

from hcs_core import PlaneAddress, StorageError
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.display import MOST_VALUES, DisplayWindows

FIRST = PlaneAddress(site=1, t=0, c=0, z=0)


@pytest.fixture
def declared(tmp_path, make_layout):
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1, 2)})
    return store


def plane(value=5, shape=(70, 90), dtype=np.uint16):
    return np.full(shape, value, dtype)


@pytest.mark.parametrize("wrong", [plane(shape=(90, 70)), plane(dtype=np.uint8), plane(dtype=">u2")])
def test_a_plane_of_another_shape_or_dtype_is_refused(declared, wrong, disk):
    with pytest.raises(StorageError, match=r"site 1.*declared with uint16 \(70, 90\)"):
        declared.open_well("A01").write(FIRST, wrong)
    assert not [path for path in (declared.root / "A/01/0/0").iterdir() if path.name != disk.array]


@pytest.mark.parametrize("index", [(1, 0, 0), (0, 2, 0), (0, 0, 2), (-1, 0, 0), (0, 0, -1)])
def test_an_address_outside_the_layout_is_refused(declared, index):
    t, c, z = index
    well = declared.open_well("A01")
    for call in (lambda address: well.write(address, plane()), well.read):
        with pytest.raises(StorageError, match="outside the layout"):
            call(PlaneAddress(site=1, t=t, c=c, z=z))


@pytest.mark.parametrize(("site", "named"), [(0, "the mosaic"), (3, "site 3"), (-1, "site -1")])
def test_a_site_that_was_not_declared_is_refused(declared, site, named):
    with pytest.raises(StorageError, match=f"{named} of well A01.*declare it first"):
        declared.open_well("A01").write(PlaneAddress(site=site, t=0, c=0, z=0), plane())


def test_a_well_that_was_not_declared_cannot_be_opened(declared):
    with pytest.raises(StorageError, match=r"B02 is not in .*declare it"):
        declared.open_well("B02")


def test_what_was_not_written_cannot_be_read(declared):
    well = declared.open_well("A01")
    well.write(FIRST, plane())
    with pytest.raises(StorageError, match=r"site 1, t 0, c 1, z 1 .* was not written"):
        well.read(PlaneAddress(site=1, t=0, c=1, z=1))


def test_a_plane_with_one_tile_missing_counts_as_not_written(tmp_path, make_layout, disk):
    store = ZarrBackend().open(tmp_path, make_layout(chunk=(1, 1, 1, 35, 45)))
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    well.write(FIRST, plane())
    assert np.array_equal(well.read(FIRST), plane())
    disk.chunk(store.root / "A/01/0/0", "0/0/0/1/1").unlink()
    with pytest.raises(StorageError, match="was not written"):
        well.read(FIRST)


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip"])
def test_a_damaged_chunk_is_an_error_that_names_the_array(tmp_path, make_layout, codec, disk):
    store = ZarrBackend().open(tmp_path, make_layout(codec=codec))
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    well.write(FIRST, np.random.default_rng(0).integers(0, 65535, (70, 90), np.uint16))
    chunk = disk.chunk(store.root / "A/01/0/0")
    chunk.write_bytes(chunk.read_bytes()[:100])
    with pytest.raises(StorageError, match=r"A/01/0/0 cannot be read .* discard the well"):
        well.read(FIRST)


def test_an_error_of_the_system_names_the_path(declared, disk):
    level = declared.root / "A/01/0/0"
    (level / f"{disk.chunks}0"[0]).write_text("a file where a folder must be")
    with pytest.raises(StorageError, match=r"A/01/0/0/[c0].* cannot be written .*space and permissions"):
        declared.open_well("A01").write(FIRST, plane())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full, which is always full")
def test_a_full_disk_names_the_path(declared, disk):
    chunk = disk.chunk(declared.root / "A/01/0/1")
    chunk.parent.mkdir(parents=True)
    chunk.symlink_to("/dev/full")
    with pytest.raises(StorageError, match=rf"A/01/0/1/{disk.chunks}0/0/0/0/0 cannot be written \(No space left"):
        declared.open_well("A01").write(FIRST, plane())


def test_closing_says_so_each_time_that_a_held_chunk_cannot_be_written(tmp_path, make_layout, disk):
    store = ZarrBackend().open(tmp_path, make_layout(chunk=(1, 2, 2, 70, 90)))
    store.declare({"A01": (1,)})
    well = store.open_well("A01")
    well.write(FIRST, plane())
    blocked = store.root / "A/01/0/0" / f"{disk.chunks}0"[0]
    blocked.write_text("a file where a folder must be")
    for _ in range(2):
        with pytest.raises(StorageError, match="cannot be written"):
            well.close()
    blocked.unlink()
    assert well.close().bytes_written == 70 * 90 * 2
    assert np.array_equal(well.read(FIRST), plane())


def test_after_closing_nothing_is_written(declared):
    well = declared.open_well("A01")
    well.write(FIRST, plane())
    summary = well.close()
    assert well.close() == summary
    with pytest.raises(StorageError, match="closed"):
        well.write(FIRST, plane())


def test_the_summary_counts_full_planes_before_compression(declared):
    well = declared.open_well("A01")
    for z in (0, 1):
        well.write(PlaneAddress(site=2, t=0, c=1, z=z), plane())
    assert well.close().bytes_written == 2 * 70 * 90 * 2


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_windows_are_percentiles_of_the_smallest_level_of_all_planes(write_plate, make_layout, dtype):
    layout = make_layout(dtype=dtype, shape=(1, 2, 3, 64, 64), smallest=32)
    written = write_plate(layout)
    summary = written.store.open_well("A01").close()
    assert summary.windows == ((0.0, 1.0), (0.0, 1.0))  # of a writer that wrote nothing
    store = ZarrBackend().open(written.path.parent / "again", layout)
    store.declare({"A01": (1, 2)})
    well = store.open_well("A01")
    for (_, address), pixels in written.truth.items():
        well.write(address, pixels)
    for channel, (low, high) in enumerate(well.close().windows):
        quarters = np.stack([written.image("A01", site)[0, channel] for site in (1, 2)]).astype(float)
        means = quarters.reshape(2, 3, 32, 2, 32, 2).mean(axis=(3, 5))
        if dtype != "float32":
            means = np.floor(means + 0.5)
        assert (low, high) == pytest.approx(tuple(np.percentile(means, (0.1, 99.9))), rel=1e-6)


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_constant_channel_has_a_window_of_one(value):
    display = DisplayWindows(1)
    display.add(0, plane(value))
    assert display.windows() == ((float(value), value + 1.0),)


def test_a_window_is_never_empty_nor_infinite():
    values = np.array([[np.nan, np.inf, 1e30], [-np.inf, 1e30, 1e30]], np.float32)
    display = DisplayWindows(2)
    display.add(0, values)
    display.add(1, values[:, :0])
    (low, high), nothing = display.windows()
    assert low == pytest.approx(1e30)
    assert low < high < np.inf
    assert nothing == (0.0, 1.0)


def test_many_planes_are_sampled_in_bounded_memory():
    generator = np.random.default_rng(3)
    planes = generator.gamma(2.0, 100.0, (40, 256, 256)).astype(np.float32)
    assert planes.size > 2 * MOST_VALUES
    display = DisplayWindows(1)
    for part in planes:
        display.add(0, part)
        assert sum(values.size for values in display._values[0]) <= MOST_VALUES
    ((low, high),) = display.windows()
    true_low, true_high = np.percentile(planes, (0.1, 99.9))
    assert low == pytest.approx(true_low, rel=0.1)
    assert high == pytest.approx(true_high, rel=0.02)


@pytest.mark.parametrize("sharded", [False, True])
def test_a_well_that_is_begun_anew_is_as_if_it_was_never_written(tmp_path, make_layout, make_sharded, sharded):
    layout = make_sharded() if sharded else make_layout()
    shape = layout.image.shape[3:]
    trees = []
    for name in ("again", "once"):
        store = ZarrBackend().open(tmp_path / name, layout)
        store.declare({"A01": (1,)})
        if name == "again":
            first = store.open_well("A01")
            first.write(PlaneAddress(site=1, t=0, c=1, z=0), plane(3, shape))
            first.close()
            store.open_well("A01").restart()
        well = store.open_well("A01")
        well.write(PlaneAddress(site=1, t=0, c=0, z=1), plane(4, shape))
        with pytest.raises(StorageError, match="was not written"):
            well.read(PlaneAddress(site=1, t=0, c=1, z=0))
        well.close()
        files = (path for path in store.root.rglob("*") if path.is_file())
        trees.append({path.relative_to(store.root): path.read_bytes() for path in files})
    assert trees[0] == trees[1]
