"""The reader: any array that zarr can write comes back, and nothing that nobody wrote."""

import json
import shutil
import sys
import threading
from itertools import product

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec, TransposeCodec, ZstdCodec
from zarr.storage import LocalStore

from hcs_core import PluginManager, ReadError
from hcs_zarr import plugin
from hcs_zarr.reader import ZarrReader

SHAPE = (2, 3, 40, 50)
BLOSC = BloscCodec(cname="lz4", clevel=1, shuffle="shuffle")
TWO = {"zarr_format": 2}
STORES = {
    "format 3": {"chunks": (1, 1, 40, 50)},
    "tiles with edges": {"chunks": (1, 1, 16, 16), "compressors": BLOSC},
    "chunks of several planes": {"chunks": (2, 2, 20, 50), "compressors": GzipCodec()},
    "not packed": {"chunks": (1, 1, 40, 50), "compressors": None},
    "zstd": {"chunks": (1, 1, 40, 50), "compressors": ZstdCodec()},
    "shards": {"chunks": (1, 1, 20, 25), "shards": (2, 3, 40, 50), "compressors": BLOSC},
    "shards with edges": {"chunks": (1, 1, 16, 16), "shards": (1, 2, 32, 32)},
    "transposed": {"chunks": (1, 1, 40, 50), "filters": [TransposeCodec(order=(1, 0, 3, 2))]},
    "dots": {"chunks": (1, 1, 20, 50), "chunk_key_encoding": {"name": "default", "separator": "."}},
    "format 2": {"chunks": (1, 1, 16, 50), **TWO},
    "format 2, blosc": {"chunks": (1, 1, 40, 50), "compressors": numcodecs.Blosc("zstd", 3, 2), **TWO},
    "format 2, folders": {
        "chunks": (1, 2, 40, 20), "chunk_key_encoding": {"name": "v2", "separator": "/"}, **TWO,
    },
    "format 2, Fortran order": {"chunks": (2, 1, 40, 50), "order": "F", "compressors": numcodecs.BZ2(), **TWO},
    "format 2, differences": {"chunks": (1, 1, 40, 50), "filters": [numcodecs.Delta("<u2")], **TWO},
}  # fmt: skip


@pytest.fixture
def reader():
    return ZarrReader()


def random_pixels(dtype="uint16", shape=SHAPE):
    """Random values, none of them 0: zarr leaves out chunks of nothing but zeros."""
    return np.random.default_rng(5).integers(1, 200, shape).astype(dtype)


def make(folder, pixels, **facts):
    """Write pixels through zarr."""
    facts = {"chunks": (*(1,) * (pixels.ndim - 2), *pixels.shape[-2:])} | facts
    array = zarr.create_array(folder, shape=pixels.shape, dtype=pixels.dtype, fill_value=0, **facts)
    array[...] = pixels
    return folder


@pytest.fixture
def reads(monkeypatch):
    """Every read of an array's chunks, as (key, byte range)."""
    seen = []
    whole = LocalStore.get

    async def get(self, key, prototype, byte_range=None):
        if not key.rpartition("/")[2].startswith((".z", "zarr.json")):
            seen.append((key, byte_range))
        return await whole(self, key, prototype, byte_range)

    monkeypatch.setattr(LocalStore, "get", get)
    return seen


@pytest.mark.parametrize("facts", STORES.values(), ids=STORES)
def test_every_plane_of_every_kind_of_array(tmp_path, reader, facts):
    pixels = random_pixels()
    folder = make(tmp_path / "0", pixels, **facts)
    for selector, (first, second) in enumerate(product(range(2), range(3))):
        header = reader.header(str(folder), selector)
        assert (header.shape, header.dtype, header.text) == ((40, 50), "uint16", "")
        read = reader.read(str(folder), selector)
        assert np.array_equal(read, pixels[first, second])
        assert read.flags.writeable
        assert read.dtype == np.dtype("uint16")


@pytest.mark.parametrize("shape", [(40, 50), (3, 40, 50), (1, 2, 1, 2, 40, 50)])
def test_any_number_of_axes(tmp_path, reader, shape):
    pixels = random_pixels(shape=shape)
    folder = make(tmp_path / "0", pixels)
    planes = pixels.reshape(-1, 40, 50)
    for selector, plane in enumerate(planes):
        assert np.array_equal(reader.read(str(folder), selector), plane)
    with pytest.raises(ReadError, match=f"has no plane {len(planes)}: it has {len(planes)}, counted from 0"):
        reader.header(str(folder), len(planes))
    with pytest.raises(ReadError, match="has no plane -1"):
        reader.read(str(folder), -1)


@pytest.mark.parametrize("dtype", [">u2", ">f4", "<i4", "u1", "bool", "float64"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_pixels_come_in_native_byte_order(tmp_path, reader, dtype, zarr_format):
    pixels = random_pixels(dtype)
    facts = TWO
    if zarr_format == 3:
        little = sys.byteorder == "little"
        # Format 3 keeps the byte order in a codec.
        order = "big" if dtype.startswith(">") == little else "little"
        facts = {"serializer": zarr.codecs.BytesCodec(endian=order)} if np.dtype(dtype).itemsize > 1 else {}
        pixels = pixels.astype(np.dtype(dtype).newbyteorder("="))
    folder = make(tmp_path / "0", pixels, **facts)
    read = reader.read(str(folder), 4)
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert read.dtype.isnative
    assert np.array_equal(read, pixels[1, 1])
    assert reader.header(str(folder), 4).dtype == np.dtype(dtype).name


REGIONS = [
    (slice(3, 17), slice(20, 49)),
    (slice(None), slice(None)),
    (slice(-8, None), slice(0, 1)),
    (slice(0, 40, 3), slice(1, 50, 7)),
    (slice(30, 2, -4), slice(None, None, -1)),
    (slice(5, 5), slice(None)),
    (slice(39, 400), slice(49, 500)),
]


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("kind", ["format 3", "tiles with edges", "shards with edges", "format 2"])
def test_regions_are_those_of_numpy(tmp_path, reader, kind, region):
    pixels = random_pixels()
    folder = make(tmp_path / "0", pixels, **STORES[kind])
    read = reader.read(str(folder), 3, region)
    assert np.array_equal(read, pixels[1, 0][region])
    assert read.flags.writeable


def test_only_the_chunks_that_a_region_touches_are_read(tmp_path, reader, reads):
    folder = make(tmp_path / "0", random_pixels(), chunks=(1, 1, 10, 25))
    reader.read(str(folder), 4, (slice(12, 20), slice(0, 26)))
    assert sorted(key for key, _ in reads) == ["c/1/1/1/0", "c/1/1/1/1"]
    # What is broken elsewhere is not looked at.
    for path in (folder / "c/1/1/0/0", folder / "c/1/0/1/0"):
        path.write_bytes(b"broken")
    assert reader.read(str(folder), 4, (slice(10, 20), slice(0, 5))).shape == (10, 5)


def test_of_a_shard_only_the_index_and_the_chunks_of_a_region_are_read(tmp_path, reader, reads):
    pixels = random_pixels()
    folder = make(tmp_path / "0", pixels, chunks=(1, 1, 10, 25), shards=SHAPE, compressors=None)
    reads.clear()
    region = (slice(12, 20), slice(0, 26))
    assert np.array_equal(reader.read(str(folder), 4, region), pixels[1, 1][region])
    assert {key for key, _ in reads} == {"c/0/0/0/0"}
    assert None not in [span for _, span in reads]
    size = (folder / "c/0/0/0/0").stat().st_size
    starts = [span.suffix if hasattr(span, "suffix") else span.end - span.start for _, span in reads]
    # The index of 48 chunks, and two chunks of 10 x 25 pixels, together or apart.
    assert 16 * 48 + 4 + 2 * 500 <= sum(starts) < size / 4


def test_no_pixels_are_read_for_a_header(tmp_path, reader, reads):
    folder = make(tmp_path / "0", random_pixels())
    shutil.rmtree(folder / "c")
    assert reader.header(str(folder), 5).shape == (40, 50)
    assert reads == []


def test_the_header_has_the_metadata_of_the_image(write_plate, make_layout, disk, reader):
    written = write_plate(make_layout())
    image = written.path / "A/01/1"
    for level in ("0", "2"):
        assert json.loads(reader.header(str(image / level), 0).text) == disk.ome(image)
    for index, plane in enumerate(written.image("A01", 2).reshape(-1, 70, 90)):
        assert np.array_equal(reader.read(str(image / "0"), index), plane)


def test_a_level_may_lie_in_a_group_of_its_own(tmp_path, reader, disk):
    make(tmp_path / "scale0/image", random_pixels(), **(TWO if disk.version == "0.4" else {}))
    ome = {"multiscales": [{"datasets": [{"path": "scale0/image"}]}]}
    whole = ome if disk.version == "0.4" else {"attributes": {"ome": ome}, "zarr_format": 3, "node_type": "group"}
    (tmp_path / disk.attributes).write_text(json.dumps(whole))
    assert json.loads(reader.header(str(tmp_path / "scale0/image"), 0).text) == ome
    # An array that the image does not name is none of its levels.
    make(tmp_path / "other", random_pixels())
    assert reader.header(str(tmp_path / "other"), 0).text == ""


def test_broken_metadata_of_the_image_are_an_error(write_plate, make_layout, disk, reader):
    image = write_plate(make_layout()).path / "A/01/0"
    for text in ("{", "[]", '{"multiscales": [3], "attributes": {"ome": {"multiscales": [3]}}}'):
        (image / disk.attributes).write_text(text)
        with pytest.raises(ReadError) as caught:
            reader.header(str(image / "0"), 0)
        assert str(caught.value).startswith(str(image / "0"))
    assert reader.read(str(image / "0"), 0).shape == (70, 90)


def refused(reader, folder, selector=0, region=None):
    """The text of the error with which a plane is refused; it begins with the path."""
    with pytest.raises(ReadError) as caught:
        reader.read(str(folder), selector, region)
    text = str(caught.value)
    assert text.startswith(str(folder))
    assert text.endswith((".", "?"))
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "facts",
    [
        {"chunks": (1, 1, 20, 25)},
        {"chunks": (1, 1, 20, 25), "shards": (1, 1, 40, 50)},
        {"chunks": (1, 1, 20, 25), "shards": (2, 3, 40, 50)},
        {"chunks": (1, 1, 20, 25), **TWO},
    ],
)
def test_a_plane_of_which_nothing_is_stored_was_not_written(tmp_path, reader, facts):
    pixels = random_pixels()
    array = zarr.create_array(tmp_path / "0", shape=SHAPE, dtype="uint16", fill_value=0, **facts)
    array[1, 2] = pixels[1, 2]
    for selector in range(5):
        assert "was not written" in refused(reader, tmp_path / "0", selector)
        assert "was not written" in refused(reader, tmp_path / "0", selector, (slice(0, 3), slice(0, 3)))
        # A header has no pixels.
        assert reader.header(str(tmp_path / "0"), selector).shape == (40, 50)
    assert np.array_equal(reader.read(str(tmp_path / "0"), 5), pixels[1, 2])


@pytest.mark.parametrize("shards", [None, (1, 1, 40, 50), (2, 3, 40, 50)])
def test_chunks_that_a_writer_left_out_are_fill_value(tmp_path, reader, shards):
    # zarr leaves out chunks of nothing but the fill value, here 7.
    array = zarr.create_array(
        tmp_path / "0", shape=SHAPE, chunks=(1, 1, 20, 25), shards=shards, dtype="uint16", fill_value=7
    )
    plane = np.full((40, 50), 7, np.uint16)
    plane[30, 40] = 900
    array[0, 1] = plane
    assert np.array_equal(reader.read(str(tmp_path / "0"), 1), plane)
    assert (reader.read(str(tmp_path / "0"), 1, (slice(0, 5), slice(0, 5))) == 7).all()


@pytest.mark.parametrize("kind", STORES)
def test_a_damaged_chunk_is_an_error_or_was_not_needed(tmp_path, reader, kind):
    folder = make(tmp_path / "0", random_pixels(), **STORES[kind])
    chunks = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".z", "zarr"))]
    for path in chunks:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    for selector in range(6):
        refused(reader, folder, selector)
    for path in chunks:
        path.write_bytes(b"")
    refused(reader, folder)


def test_a_chunk_that_blosc_would_read_past_is_refused(tmp_path, reader):
    folder = make(tmp_path / "0", random_pixels(), compressors=BLOSC)
    chunk = folder / "c/0/0/0/0"
    for kept in (0, 10, 16, 200):
        whole = chunk.read_bytes()
        chunk.write_bytes(whole[:kept])
        assert "not as long as its header says" in refused(reader, folder)
        chunk.write_bytes(whole)
    assert reader.read(str(folder), 0).shape == (40, 50)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"zarr_format": 3, "node_type": "array"}', "damaged"),
        ('{"zarr_format": 3, "node_type": "group", "attributes": {}}', "damaged"),
        ("\0\1\2", "damaged"),
    ],
)
def test_broken_documents(tmp_path, reader, text, words):
    folder = make(tmp_path / "0", random_pixels())
    (folder / "zarr.json").write_text(text)
    assert words in refused(reader, folder)
    (folder / "zarr.json").unlink()
    assert "is no zarr array" in refused(reader, folder)
    (folder / ".zarray").write_text(text)
    assert words in refused(reader, folder)
    with pytest.raises(ReadError):
        reader.header(str(folder), 0)


def test_an_unknown_codec_and_a_field_out_of_range(tmp_path, reader):
    folder = make(tmp_path / "0", random_pixels())
    document = json.loads((folder / "zarr.json").read_text())
    for change in (
        {"codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "mine"}]},
        {"shape": "wide"},
        {"data_type": "colour"},
        {"chunk_grid": {"name": "irregular", "configuration": {}}},
    ):
        (folder / "zarr.json").write_text(json.dumps(document | change))
        refused(reader, folder)


def test_what_is_not_there(tmp_path, reader):
    for folder in (tmp_path / "absent", tmp_path):
        assert "is no zarr array" in refused(reader, folder)
    (tmp_path / "file").write_text("text")
    assert "is no zarr array" in refused(reader, tmp_path / "file")


@pytest.mark.parametrize("dtype", ["complex64", "<U3", [("a", "<u2"), ("b", "<u2")]])
def test_what_are_no_grey_values(tmp_path, reader, dtype):
    zarr.create_array(tmp_path / "0", shape=(4, 5), chunks=(4, 5), dtype=np.dtype(dtype), zarr_format=2)
    assert "no grey values" in refused(reader, tmp_path / "0")


def test_a_list_is_no_plane(tmp_path, reader):
    zarr.create_array(tmp_path / "0", shape=(4,), chunks=(4,), dtype="uint16")
    assert "has 1 axes" in refused(reader, tmp_path / "0")


def test_an_array_that_changes_is_read_anew(tmp_path, reader):
    folder = make(tmp_path / "0", random_pixels())
    assert reader.header(str(folder), 0).shape == (40, 50)
    shutil.rmtree(folder)
    make(folder, random_pixels("uint8", (4, 3, 20)))
    assert reader.header(str(folder), 3).shape == (3, 20)
    shutil.rmtree(folder)
    refused(reader, folder)


def test_readers_in_threads_do_not_disturb_each_other(tmp_path):
    pixels = random_pixels()
    folder = make(tmp_path / "0", pixels, chunks=(1, 1, 20, 25), shards=(2, 3, 40, 50))
    read = []

    def work():
        own = ZarrReader()
        read.extend((selector, own.read(str(folder), selector)) for selector in [*range(6)] * 5)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 4 * 5 * 6
    assert all(np.array_equal(plane, pixels.reshape(6, 40, 50)[selector]) for selector, plane in read)


def test_it_is_found_by_its_name():
    manager = PluginManager()
    manager.register(plugin, name="zarr")
    assert manager.readers.load("zarr") is ZarrReader
