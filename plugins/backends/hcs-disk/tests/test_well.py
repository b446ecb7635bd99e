"""One well: planes go in as files, and come out as they were."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile

from hcs_core import FinishedWell, PlaneAddress, StorageError
from hcs_disk.backend import DiskBackend
from hcs_disk.display import GreyValues

FIRST = PlaneAddress(site=1, t=0, c=0, z=0)
DTYPES = ["bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64"]


@pytest.fixture
def declared(tmp_path, make_layout):
    store = DiskBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1, 2)})
    return store


def plane(value=1, shape=(70, 90), dtype=np.uint16):
    return np.full(shape, value, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_planes_are_read_as_they_were_written(write_store, make_layout, dtype, codec):
    written = write_store(make_layout(dtype=dtype, codec=codec, shape=(2, 2, 1, 31, 45)))
    for (well, address), pixels in written.truth.items():
        found = written.store.open_well(well).read(address)
        assert found.dtype == pixels.dtype
        np.testing.assert_array_equal(found, pixels)
        np.testing.assert_array_equal(tifffile.imread(written.file(well, address)), pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip"])
def test_libtiff_reads_what_was_written(write_store, make_layout, dtype, codec):
    cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed: it comes with hcs-numpy")
    written = write_store(make_layout(dtype=dtype, codec=codec))
    for key, pixels in written.truth.items():
        np.testing.assert_array_equal(cv2.imread(str(written.file(*key)), cv2.IMREAD_UNCHANGED), pixels)


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_file_is_packed_in_a_way_that_imagej_misreads(write_store, make_layout, codec, dtype):
    written = write_store(make_layout(codec=codec, dtype=dtype, shape=(1, 2, 1, 70, 90)))
    with tifffile.TiffFile(written.file("A01", FIRST)) as tiff:
        page = tiff.pages.first
        # ImageJ: Deflate without a predictor, no big TIFF, and bits only raw.
        assert page.compression == (1 if codec == "none" or dtype == "bool" else 8)
        assert page.predictor == 1
        assert not tiff.is_bigtiff
        assert len(tiff.pages) == 1


def test_a_higher_level_packs_tighter(tmp_path, make_layout):
    smooth = np.random.default_rng(5).poisson(20, (70, 90)).astype(np.uint16)
    sizes = []
    for level in (1, 9):
        store = DiskBackend().open(tmp_path / str(level), make_layout(level=level))
        store.declare({"A01": (1,)})
        store.open_well("A01").write(FIRST, smooth)
        (file,) = store.root.rglob("*.tif")
        sizes.append(file.stat().st_size)
    assert sizes[1] < sizes[0] < smooth.nbytes


def test_the_same_pixels_are_the_same_bytes(write_store, make_layout, tmp_path):
    one, other = (write_store(make_layout(), folder=tmp_path / name) for name in ("one", "other"))
    for key in one.truth:
        assert one.file(*key).read_bytes() == other.file(*key).read_bytes()


def test_a_view_of_a_larger_array_is_written_as_it_looks(declared):
    large = np.arange(140 * 180, dtype=np.uint16).reshape(140, 180)
    well = declared.open_well("A01")
    well.write(FIRST, large[::-2, ::2])
    np.testing.assert_array_equal(well.read(FIRST), large[::-2, ::2])


def test_writing_again_replaces(declared):
    well = declared.open_well("A01")
    well.write(FIRST, plane(1))
    well.write(FIRST, plane(2))
    np.testing.assert_array_equal(well.read(FIRST), plane(2))
    assert len(list(declared.root.rglob("*.tif*"))) == 1


def test_dropping_removes_the_file(declared):
    well = declared.open_well("A01")
    well.write(FIRST, plane())
    well.drop(FIRST)
    well.drop(FIRST)
    assert not list(declared.root.rglob("*.tif*"))
    with pytest.raises(StorageError, match="was dropped"):
        well.read(FIRST)


@pytest.mark.parametrize("wrong", [plane(shape=(90, 70)), plane(dtype=np.uint8), plane(dtype=">u2")])
def test_a_plane_of_another_shape_or_dtype_is_refused(declared, wrong):
    with pytest.raises(StorageError, match=r"A01_s001\S+ would be .*declared with uint16 \(70, 90\)"):
        declared.open_well("A01").write(FIRST, wrong)
    assert not list(declared.root.rglob("*.tif*"))


@pytest.mark.parametrize("index", [(1, 0, 0), (0, 2, 0), (0, 0, 2), (-1, 0, 0)])
def test_an_address_outside_the_layout_is_refused(declared, index):
    t, c, z = index
    well = declared.open_well("A01")
    for call in (lambda address: well.write(address, plane()), well.read, well.drop):
        with pytest.raises(StorageError, match="outside the layout"):
            call(PlaneAddress(site=1, t=t, c=c, z=z))


def test_a_site_or_well_that_was_not_declared_is_refused(declared):
    with pytest.raises(StorageError, match=r"site 3 of well A01.*declare it first"):
        declared.open_well("A01").write(PlaneAddress(site=3, t=0, c=0, z=0), plane())
    with pytest.raises(StorageError, match=r"B02 is not in .*declare it"):
        declared.open_well("B02")


def test_a_damaged_file_is_an_error_that_names_it(declared):
    well = declared.open_well("A01")
    well.write(FIRST, plane())
    (file,) = declared.root.rglob("*.tif")
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(StorageError, match=r"A01_s001_w01_z001_t001.ome.tif is cut off"):
        well.read(FIRST)
    file.write_bytes(b"no longer a TIFF")
    with pytest.raises(StorageError, match=r"A01_s001_w01_z001_t001.ome.tif is damaged .*make the well again"):
        declared.finish_well(FinishedWell(well="A01", sites=(1,), translations={1: (0.0, 0.0)}))


def test_an_error_of_the_system_names_the_path(declared):
    (declared.root / ".unfinished/A01/A01_s001_w01_z001_t001.ome.tif").mkdir()
    with pytest.raises(StorageError, match=r"A01_s001\S+ cannot be written .*space and permissions"):
        declared.open_well("A01").write(FIRST, plane())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full, which is always full")
def test_on_a_full_disk_no_plane_has_its_name(declared):
    folder = declared.root / ".unfinished/A01"
    (folder / "A01_s001_w01_z001_t001.ome.tif.partial").symlink_to("/dev/full")
    with pytest.raises(
        StorageError, match=r"A01_s001_w01_z001_t001.ome.tif cannot be written \(No space left"
    ) as caught:
        declared.open_well("A01").write(FIRST, plane())
    assert "\n" not in str(caught.value)
    assert not list(folder.glob("*.tif"))


def test_after_closing_nothing_is_written(declared):
    well = declared.open_well("A01")
    well.write(FIRST, plane())
    summary = well.close()
    assert summary.bytes_written == 70 * 90 * 2
    assert well.close() == summary
    with pytest.raises(StorageError, match="closed"):
        well.write(FIRST, plane())


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "bool"])
def test_windows_are_percentiles_of_small_planes(write_store, make_layout, dtype):
    written = write_store(make_layout(dtype=dtype, shape=(1, 2, 3, 60, 60)))
    store = DiskBackend().open(written.store.root.parent / "again", written.layout)
    store.declare({"A01": (1, 2)})
    well = store.open_well("A01")
    for (_, address), pixels in written.truth.items():
        well.write(address, pixels)
    for channel, window in enumerate(well.close().windows):
        pixels = np.stack([value for (_, at), value in written.truth.items() if at.c == channel]).astype(float)
        assert window == pytest.approx(tuple(np.percentile(pixels, (0.1, 99.9))), rel=1e-6)


def test_of_large_planes_some_pixels_are_looked_at():
    pixels = np.random.default_rng(3).gamma(2.0, 100.0, (3, 700, 900)).astype(np.float32)
    values = GreyValues(1)
    for part in pixels:
        values.add(0, part)
    assert sum(part.size for part in values._values[0]) < pixels.size / 100
    ((low, high),) = values.windows()
    assert low == pytest.approx(np.percentile(pixels, 0.1), abs=3)
    assert high == pytest.approx(np.percentile(pixels, 99.9), rel=0.1)


def test_a_window_is_never_empty_nor_infinite():
    values = GreyValues(3)
    values.add(0, np.array([[np.nan, np.inf, 1e30], [-np.inf, 1e30, 1e30]], np.float32))
    values.add(1, np.full((5, 5), 7, np.uint16))
    large, constant, nothing = values.windows()
    assert large[0] == pytest.approx(1e30)
    assert large[0] < large[1] < np.inf
    assert constant == (7.0, 8.0)
    assert nothing == (0.0, 1.0)


def test_threads_write_wells_of_one_store(tmp_path, make_layout):
    store = DiskBackend().open(tmp_path, make_layout())
    wells = [f"A{column:02d}" for column in range(1, 7)]
    store.declare(dict.fromkeys(wells, (1,)))

    def write(well):
        images = store.open_well(well)
        for z in range(2):
            images.write(PlaneAddress(site=1, t=0, c=0, z=z), plane(100 * int(well[1:]) + z))
        return images.close()

    with ThreadPoolExecutor(3) as pool:
        summaries = list(pool.map(write, wells))
    for well, summary in zip(wells, summaries, strict=True):
        store.finish_well(FinishedWell(well=well, sites=(1,), summary=summary))
        read = store.open_well(well).read(PlaneAddress(site=1, t=0, c=0, z=1))
        np.testing.assert_array_equal(read, plane(100 * int(well[1:]) + 1))
    assert store.finished_wells() == tuple(wells)
