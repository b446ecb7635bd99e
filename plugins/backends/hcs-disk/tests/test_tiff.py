"""Planes come out of TIFF files as they were put in, whatever the byte order, the layout and the compression."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from hcs_core import Header, ReadError
from hcs_disk.tiff import TiffReader

SHAPE = (70, 45)


def pixels(dtype="uint16"):
    values = np.random.default_rng(7).uniform(0, 60_000, SHAPE)
    return values.astype(dtype) if np.dtype(dtype).kind == "f" else (values % np.iinfo(dtype).max).astype(dtype)


def pack_bits(pixels, bits):
    """Pack little-endian uint16 values into their lower bits, the highest first."""
    every = np.unpackbits(np.frombuffer(pixels, "<u2").astype(">u2").view("u1")).reshape(-1, 16)
    return np.packbits(every[:, 16 - bits :]).tobytes()


def by_hand(image, order="<", *, big=False, strips=3, encode=bytes, bits=None):
    """Make a TIFF of strips from the specification alone: the pixels first, the directory behind them."""
    height, width = image.shape
    rows = -(-height // strips)
    stored = image.astype(image.dtype.newbyteorder(order))
    parts = [encode(stored[start : start + rows].tobytes()) for start in range(0, height, rows)]
    offset, count, word = ("Q", "Q", 16) if big else ("I", "H", 4)
    begin = 16 if big else 8
    offsets = [begin + sum(map(len, parts[:index])) for index in range(len(parts))]
    body = b"".join(parts)
    arrays = begin + len(body)
    body += struct.pack(f"{order}{len(parts)}{offset}", *offsets)
    body += struct.pack(f"{order}{len(parts)}{offset}", *map(len, parts))
    each = struct.calcsize(offset) * len(parts)
    compression = {imagecodecs.lzw_encode: 5, imagecodecs.zlib_encode: 8}.get(encode, 1)
    tags = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, bits or image.dtype.itemsize * 8),
        (259, 3, 1, compression), (262, 3, 1, 1), (273, word, len(parts), arrays), (277, 3, 1, 1), (278, 3, 1, rows),
        (279, word, len(parts), arrays + each), (339, 3, 1, {"u": 1, "i": 2, "f": 3}[image.dtype.kind]),
    ]  # fmt: skip
    directory = struct.pack(order + count, len(tags))
    for code, kind, number, value in tags:
        directory += struct.pack(f"{order}HH{offset}", code, kind, number)
        held = struct.pack(f"{order}{'H' if kind == 3 else offset}", value)
        directory += held.ljust(struct.calcsize(offset), b"\0")
    directory += struct.pack(order + offset, 0)
    mark = {"<": b"II", ">": b"MM"}[order]
    head = (
        struct.pack(f"{order}HHHQ", 43, 8, 0, arrays + 2 * each)
        if big
        else struct.pack(f"{order}HI", 42, arrays + 2 * each)
    )
    return mark + head + body + directory


@pytest.fixture
def reader():
    return TiffReader()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("encode", [bytes, imagecodecs.lzw_encode, imagecodecs.zlib_encode])
def test_reads_what_another_writer_wrote(reader, tmp_path, dtype, order, big, encode):
    image = pixels(dtype)
    path = tmp_path / "image.tif"
    path.write_bytes(by_hand(image, order, big=big, encode=encode))
    assert reader.header(str(path), 0) == Header(shape=SHAPE, dtype=dtype)
    found = reader.read(str(path), 0)
    np.testing.assert_array_equal(found, image)
    assert found.dtype == np.dtype(dtype)
    assert found.dtype.isnative
    assert found.flags.writeable


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rowsperstrip": 9},
        {"tile": (16, 32)},
        {"tile": (16, 32), "compression": "zlib", "predictor": 2},
        {"compression": "lzw", "predictor": 2, "rowsperstrip": 9},
        {"compression": "zstd"},
        {"compression": "packbits"},
        {"byteorder": ">", "bigtiff": True, "tile": (16, 16)},
    ],
    ids=str,
)
def test_reads_strips_tiles_and_predictors(reader, tmp_path, options):
    image = pixels()
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, image, **options)
    np.testing.assert_array_equal(reader.read(str(path), 0), image)


REGIONS = [
    (slice(None), slice(None)),
    (slice(10, 20), slice(5, 9)),
    (slice(3, 4), slice(None)),
    (slice(-5, None), slice(-7, -2)),
    (slice(60, 500), slice(40, 500)),
    (slice(5, 60, 7), slice(0, 40, 3)),
    (slice(60, 5, -7), slice(40, None, -1)),
    (slice(8, 8), slice(None)),
]


LAYOUTS = [
    {},
    {"byteorder": ">"},
    {"rowsperstrip": 9},
    {"tile": (16, 32)},
    {"compression": "lzw"},
    {"compression": "lzw", "rowsperstrip": 9, "predictor": 2},
    {"compression": "zlib", "tile": (16, 32), "byteorder": ">"},
    {"compression": "zstd", "tile": (32, 16), "bigtiff": True},
    {"compression": "packbits", "rowsperstrip": 1},
]


@pytest.mark.parametrize("region", REGIONS, ids=str)
@pytest.mark.parametrize("options", LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_region_is_what_slicing_gives(reader, tmp_path, region, options, dtype):
    if dtype == "float32" and "predictor" in options:
        options = {**options, "predictor": 3}
    image = pixels(dtype)
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, image, **options)
    found = reader.read(str(path), 0, region)
    np.testing.assert_array_equal(found, image[region])
    assert found.flags.writeable
    assert found.flags.owndata
    assert found.dtype.isnative


@pytest.fixture
def bytes_read(monkeypatch):
    """How many bytes tifffile takes from files, beside those in which it finds its way."""
    taken = []
    read, read_array = tifffile.FileHandle.read, tifffile.FileHandle.read_array

    def counting(self, size=-1):
        taken.append(size)
        return read(self, size)

    def counting_array(self, dtype, count=-1, *args, **kwargs):
        taken.append(np.dtype(dtype).itemsize * count)
        return read_array(self, dtype, count, *args, **kwargs)

    monkeypatch.setattr(tifffile.FileHandle, "read", counting)
    monkeypatch.setattr(tifffile.FileHandle, "read_array", counting_array)
    return taken


def test_of_a_raw_page_only_the_rows_of_the_region_are_read(reader, tmp_path, bytes_read):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, pixels())
    reader.header(str(path), 0)
    finding = sum(bytes_read)
    bytes_read.clear()
    reader.read(str(path), 0, (slice(20, 23), slice(4, 6)))
    assert sum(bytes_read) == finding + 3 * SHAPE[1] * 2


@pytest.mark.parametrize(
    ("options", "touched"),
    [
        ({"compression": "zlib", "rowsperstrip": 10}, [2, 3]),
        ({"rowsperstrip": 10, "predictor": 2, "compression": "lzw"}, [2, 3]),
        # Three tiles to a row of tiles.
        ({"compression": "zlib", "tile": (16, 16)}, [4, 5, 7, 8]),
        ({"tile": (16, 16)}, [4, 5, 7, 8]),
    ],
    ids=str,
)
def test_only_strips_and_tiles_that_a_region_touches_are_read(reader, tmp_path, bytes_read, options, touched):
    path = tmp_path / "image.tif"
    image = pixels()
    tifffile.imwrite(path, image, **options)
    with tifffile.TiffFile(path) as tiff:
        offsets, counts = tiff.pages.first.dataoffsets, tiff.pages.first.databytecounts
    bytes_read.clear()
    reader.header(str(path), 0)
    finding = sum(bytes_read)
    bytes_read.clear()
    region = (slice(29, 33), slice(30, 40))
    np.testing.assert_array_equal(reader.read(str(path), 0, region), image[region])
    assert sum(bytes_read) == finding + sum(counts[index] for index in touched)
    # What is not touched is not decoded either: noise in its place makes no difference.
    content = bytearray(path.read_bytes())
    for index, (offset, count) in enumerate(zip(offsets, counts, strict=True)):
        if index not in touched:
            content[offset : offset + count] = b"\xff" * count
    path.write_bytes(content)
    np.testing.assert_array_equal(reader.read(str(path), 0, region), image[region])


@pytest.mark.parametrize("options", [{"tile": (32, 32)}, {"rowsperstrip": 16}], ids=str)
def test_jpeg_is_decoded_as_libtiff_does(reader, tmp_path, options):
    cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed: it comes with hcs-numpy")
    path = tmp_path / "image.tif"
    smooth = np.add.outer(np.arange(70), np.arange(45) * 2).astype("uint8")
    tifffile.imwrite(path, smooth, compression="jpeg", compressionargs={"level": 95}, **options)
    found = reader.read(str(path), 0)
    # Decoders may differ by a grey value in rounding.
    np.testing.assert_allclose(found.astype(int), cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(int), atol=1)
    for region in REGIONS:
        np.testing.assert_array_equal(reader.read(str(path), 0, region), found[region])


@pytest.mark.parametrize("bits", [4, 10, 12, 14])
def test_packed_bits_are_unpacked(reader, tmp_path, bits):
    image = (pixels() % 2**bits)[:, :40].astype("uint16")
    path = tmp_path / "image.tif"
    path.write_bytes(by_hand(image, encode=lambda strip: pack_bits(strip, bits), bits=bits))
    for region in [None, *REGIONS]:
        found = reader.read(str(path), 0, region)
        np.testing.assert_array_equal(found, image[region or ...])
        assert found.dtype.itemsize == -(-bits // 8)


def test_the_selector_is_the_page(reader, tmp_path):
    path = tmp_path / "pages.tif"
    pages = [pixels("uint8"), pixels("uint16"), pixels("float32")[:30]]
    with tifffile.TiffWriter(path) as writer:
        for number, page in enumerate(pages):
            writer.write(page, description=f"page {number}", metadata=None)
    for number, page in enumerate(pages):
        expected = Header(shape=page.shape, dtype=page.dtype.name, text=f"page {number}")
        assert reader.header(str(path), number) == expected
        np.testing.assert_array_equal(reader.read(str(path), number), page)


@pytest.mark.parametrize("selector", [2, 99, -1])
def test_a_page_that_is_not_there_is_an_error(reader, tmp_path, selector):
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, np.stack([pixels(), pixels()]), photometric="minisblack")
    for ask in (reader.header, reader.read):
        with pytest.raises(ReadError, match=f"pages.tif has no page {selector}: it has 2") as caught:
            ask(str(path), selector)
        assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (b"plain text", "plain text"),
        ("10 µm".encode(), "10 µm"),
        ("10 µm".encode("latin-1"), "10 µm"),
        # Neither UTF-8 nor cp1252: every byte is a character of latin-1.
        (b"a\x82\x81b", "a\x82\x81b"),
    ],
)
def test_the_description_is_decoded_whatever_its_bytes(reader, tmp_path, stored, text):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, pixels(), description=stored, metadata=None)
    found = reader.header(str(path), 0).text
    assert found == text


def test_a_header_reads_no_pixels(reader, tmp_path, monkeypatch):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, pixels(), compression="zlib")

    def refuse(*_args, **_kwargs):
        raise AssertionError("pixels were read")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", refuse)
    monkeypatch.setattr(tifffile.FileHandle, "read_array", refuse)
    assert reader.header(str(path), 0).shape == SHAPE


def shared():
    for folder in Path(__file__).resolve().parents:
        if (folder / "shared" / "data").is_dir():
            return folder / "shared" / "data"
    pytest.skip("shared/ is not here")


def test_real_files_agree_with_opencv(reader):
    cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed: it comes with hcs-numpy")
    data = shared()
    files = sorted(path for path in (*data.glob("imagexpress/**/*.[tT][iI][fF]"), *data.glob("opera/**/*.tif*")))
    assert len(files) > 40
    for path in files:
        np.testing.assert_array_equal(
            reader.read(str(path), 0), cv2.imread(str(path), cv2.IMREAD_UNCHANGED), str(path)
        )
