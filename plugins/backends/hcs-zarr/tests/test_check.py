"""Each defect that `check_plate` is there for is found, named and told from a good plate."""

import shutil

import pytest
import zarr

from hcs_zarr.backend import ZarrBackend
from hcs_zarr.check import check_plate


@pytest.fixture
def plate(write_plate, make_layout):
    return write_plate(make_layout(codec="lz4", smallest=40), wells=("A01", "B02")).path


@pytest.fixture
def kind(disk):
    """What zarr is told to make an array of the plate's format."""
    return {"zarr_format": 2} if disk.version == "0.4" else {"dimension_names": list("tczyx")}


def only_defect(plate, **options):
    (sentence,) = check_plate(plate, **options)
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip"])
@pytest.mark.parametrize("chunk", [(1, 1, 1, 70, 90), (1, 2, 2, 32, 40)])
def test_a_good_plate_has_no_defect(write_plate, make_layout, codec, chunk):
    layout = make_layout(codec=codec, chunk=chunk, plate_format=(32, 48), smallest=40)
    written = write_plate(layout, wells=("A01", "AA01"), sites=(2,))
    assert check_plate(written.path) == ()
    assert check_plate(str(written.path)) == ()


@pytest.mark.parametrize("count", [1, 3])
def test_a_wrong_field_count(plate, disk, count):
    disk.edit(plate, lambda ome: ome["plate"].update(field_count=count))
    assert f"field_count {count}, and its wells have 2 images" in only_defect(plate)


def test_a_wrong_maximum_of_fields(plate, disk):
    disk.edit(plate, lambda ome: ome["plate"]["acquisitions"][0].update(maximumfieldcount=1))
    assert "maximumfieldcount 1, and a well has 2 images" in only_defect(plate)


def test_a_well_in_the_wrong_row(plate, disk):
    disk.edit(plate, lambda ome: ome["plate"]["wells"][1].update(rowIndex=2))
    assert "well B/02" in only_defect(plate)
    assert "row and column of C/02" in only_defect(plate)


def test_a_wrong_number_of_channels(plate, disk):
    disk.edit(plate / "A/01/1", lambda ome: ome["omero"]["channels"].pop())
    assert "A/01/1 names 1 channels in omero, and its array has 2" in only_defect(plate)


def test_levels_of_several_dtypes(plate, kind):
    level = plate / "A/01/1/2"
    shape = zarr.open_array(level, mode="r").shape
    shutil.rmtree(level)
    zarr.create_array(level, shape=shape, chunks=shape, dtype="float32", **kind)
    assert "A/01/1 has levels of several dtypes: uint16, float32" in only_defect(plate, allow_absent_chunks=True)


def test_levels_that_do_not_halve(plate, kind):
    level = plate / "A/01/1/1"
    shutil.rmtree(level)
    zarr.create_array(level, shape=(1, 2, 2, 35, 44), chunks=(1, 1, 1, 35, 44), dtype="uint16", **kind)
    found = check_plate(plate, allow_absent_chunks=True)
    assert any("level 1 of" in sentence and "(1, 2, 2, 35, 45)" in sentence for sentence in found)


def test_levels_in_the_wrong_order(plate, disk):
    disk.edit(plate / "A/01/1", lambda ome: ome["multiscales"][0]["datasets"].reverse())
    assert any("half of the level before" in sentence for sentence in check_plate(plate))


def test_a_stray_well(plate):
    shutil.copytree(plate / "A/01", plate / "A/02")
    assert "A/02 is a well's folder that the plate does not list" in only_defect(plate)


def test_a_stray_image(plate):
    shutil.copytree(plate / "A/01/1", plate / "A/01/2")
    assert "A/01/2 is an image's folder that well A/01 does not list" in only_defect(plate)


def test_a_missing_image(plate):
    shutil.rmtree(plate / "A/01/1")
    assert "A/01/1 has metadata of an image" in only_defect(plate)


def test_a_missing_level(plate):
    shutil.rmtree(plate / "A/01/1/2")
    assert "A/01/1/2 cannot be opened as an array" in only_defect(plate)


def test_a_missing_well(plate):
    shutil.rmtree(plate / "A/01")
    assert "has metadata of plate or wells" in only_defect(plate)


def test_absent_chunks_are_allowed_only_when_told(plate, disk):
    disk.chunk(plate / "B/02/0/0", "0/1/1/0/0").unlink()
    disk.chunk(plate / "B/02/0/0", "0/1/0/0/0").unlink()
    assert "B/02/0/0 has 2 absent chunks, which read as zeros; the first is at 0/1/0/0/0" in only_defect(plate)
    assert check_plate(plate, allow_absent_chunks=True) == ()


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd", "gzip"])
@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_chunk_that_was_cut_short(write_plate, make_layout, disk, codec, kept):
    plate = write_plate(make_layout(codec=codec, smallest=50)).path
    chunk = disk.chunk(plate / "A/01/1/0", "0/1/1/0/0")
    chunk.write_bytes(chunk.read_bytes()[:kept])
    assert str(chunk) in only_defect(plate)


def test_a_chunk_that_is_something_else(write_plate, make_layout, disk):
    plate = write_plate(make_layout(codec="gzip")).path
    chunk = disk.chunk(plate / "A/01/1/0", "0/1/1/0/0")
    chunk.write_bytes(b"x" * chunk.stat().st_size)
    assert "cannot be decoded" in only_defect(plate)


def test_what_is_no_plate(tmp_path, make_layout, disk):
    assert "has no plate's metadata" in only_defect(tmp_path)
    store = ZarrBackend().open(tmp_path, make_layout())
    store.declare({"A01": (1,)})
    assert "no well was finished" in only_defect(store.root)
    (store.root / disk.attributes).write_text("{")
    assert "cannot be read" in only_defect(store.root)


def test_every_defect_is_named_not_only_the_first(plate, disk):
    disk.edit(plate, lambda ome: ome["plate"].update(field_count=7))
    disk.edit(plate / "A/01/1", lambda ome: ome["omero"]["channels"].pop())
    disk.chunk(plate / "B/02/0/0", "0/1/1/0/0").unlink()
    assert len(check_plate(plate)) == 3
