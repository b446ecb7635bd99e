"""A plane is whole, or it is an error that starts with its path; nothing is invented and nothing is printed."""

import logging
import random
import struct
import threading

import numpy as np
import pytest
import tifffile

from hcs_core import ReadError
from hcs_disk.tiff import TiffReader

IMAGE = np.random.default_rng(3).integers(0, 4000, (48, 40)).astype("uint16")
KINDS = {
    "raw": {},
    "raw strips": {"rowsperstrip": 7},
    "raw tiles": {"tile": (16, 16)},
    "lzw": {"compression": "lzw", "rowsperstrip": 7},
    "deflate": {"compression": "zlib", "rowsperstrip": 7},
    "deflate tiles": {"compression": "zlib", "tile": (16, 16)},
    "big": {"bigtiff": True, "byteorder": ">"},
}


@pytest.fixture
def reader():
    return TiffReader()


def refuse(path, ask, *words):
    """Assert that asking for page 0 is an error in one line that starts with the path."""
    with pytest.raises(ReadError) as caught:
        ask(str(path), 0)
    text = str(caught.value)
    assert text.startswith(f"{path} ")
    assert "\n" not in text
    for word in words:
        assert word in text


def tag_position(path, code):
    with tifffile.TiffFile(path) as tiff:
        return tiff.pages.first.tags[code]


def patch(path, position, value):
    content = bytearray(path.read_bytes())
    content[position : position + len(value)] = value
    path.write_bytes(content)


@pytest.mark.parametrize("ask", ["header", "read"])
class TestFaultsOfAnyPage:
    """What both `header` and `read` refuse."""

    def test_a_file_that_is_not_there(self, reader, tmp_path, ask):
        refuse(tmp_path / "gone.tif", getattr(reader, ask), "is not there")

    def test_a_folder(self, reader, tmp_path, ask):
        refuse(tmp_path, getattr(reader, ask), "cannot be read")

    def test_no_bytes(self, reader, tmp_path, ask):
        path = tmp_path / "empty.tif"
        path.touch()
        refuse(path, getattr(reader, ask), "is empty (0 bytes)")

    @pytest.mark.parametrize(
        "content",
        [b"<html><body>404</body></html>", b'{"error": 1}', b"\xff\xd8\xff\xe0JFIF", b"I", b"II*", b"\0" * 500],
    )
    def test_something_else_that_is_called_tif(self, reader, tmp_path, ask, content):
        path = tmp_path / "page.tif"
        path.write_bytes(content)
        refuse(path, getattr(reader, ask))

    def test_text_is_said_to_be_no_tiff(self, reader, tmp_path, ask):
        path = tmp_path / "page.tif"
        path.write_bytes(b"<!DOCTYPE html>")
        refuse(path, getattr(reader, ask), "is no TIFF file")

    @pytest.mark.parametrize("shape", [(48, 40, 3), (3, 48, 40)])
    def test_colour(self, reader, tmp_path, ask, shape):
        path = tmp_path / "rgb.tif"
        planar = "contig" if shape[-1] == 3 else "separate"
        tifffile.imwrite(path, np.zeros(shape, "uint8"), photometric="rgb", planarconfig=planar)
        refuse(path, getattr(reader, ask), "is not a 2-D grey image", str(shape))

    def test_a_volume_in_one_page(self, reader, tmp_path, ask):
        path = tmp_path / "volume.tif"
        tifffile.imwrite(path, np.zeros((16, 32, 32), "uint8"), tile=(16, 16, 16), volumetric=True)
        refuse(path, getattr(reader, ask), "is not a 2-D grey image")

    @pytest.mark.parametrize("kind", KINDS)
    def test_pixels_behind_the_end_of_the_file(self, reader, tmp_path, ask, kind):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, IMAGE, **KINDS[kind])
        content = path.read_bytes()
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            end = max(o + c for o, c in zip(page.dataoffsets, page.databytecounts, strict=True))
        for lost in (1, 2, 40, 1000):
            path.write_bytes(content[: end - lost])
            refuse(path, getattr(reader, ask), "is cut off")

    @pytest.mark.parametrize("code", [273, 279])
    def test_a_strip_that_was_never_written(self, reader, tmp_path, ask, code):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, IMAGE, compression="zlib", rowsperstrip=7)
        tag = tag_position(path, code)
        patch(path, tag.valueoffset, bytes(struct.calcsize(tag.dataformat)))
        refuse(path, getattr(reader, ask), "lacks pixels")

    def test_a_raw_page_with_fewer_bytes_than_pixels(self, reader, tmp_path, ask):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, IMAGE)
        tag = tag_position(path, 279)
        patch(path, tag.valueoffset, struct.pack("<I" if tag.dtype == 4 else "<H", IMAGE.nbytes - 2))
        refuse(path, getattr(reader, ask), "lacks pixels")

    def test_more_rows_than_strips(self, reader, tmp_path, ask):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, IMAGE, compression="zlib", rowsperstrip=7)
        patch(path, tag_position(path, 257).valueoffset, struct.pack("<H", 480))
        refuse(path, getattr(reader, ask), "lacks pixels")


class TestFaultsOfPixels:
    """What only decoding shows."""

    def test_a_compression_that_nobody_knows(self, reader, tmp_path):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, IMAGE, compression="zlib")
        patch(path, tag_position(path, 259).valueoffset, struct.pack("<H", 60_123))
        refuse(path, reader.read, "cannot be decoded")

    @pytest.mark.parametrize("compression", ["zlib", "lzw", "zstd"])
    def test_a_strip_that_ends_too_early(self, reader, tmp_path, compression):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, IMAGE, compression=compression, rowsperstrip=48)
        with tifffile.TiffFile(path) as tiff:
            (count,) = tiff.pages.first.databytecounts
        tag = tag_position(path, 279)
        patch(path, tag.valueoffset, struct.pack("<I" if tag.dtype == 4 else "<H", count // 2))
        refuse(path, reader.read, "cannot be decoded")

    def test_noise_instead_of_a_deflate_stream(self, reader, tmp_path):
        path = tmp_path / "image.tif"
        tifffile.imwrite(path, IMAGE, compression="zlib", rowsperstrip=48)
        with tifffile.TiffFile(path) as tiff:
            (offset,) = tiff.pages.first.dataoffsets
        patch(path, offset, b"\xff" * 64)
        refuse(path, reader.read, "cannot be decoded")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_anywhere_is_whole_or_an_error(reader, tmp_path, kind):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, IMAGE, description="a text " * 20, metadata=None, **KINDS[kind])
    content = path.read_bytes()
    header = reader.header(str(path), 0)
    whole = 0
    for length in [*range(0, 700, 17), *range(700, len(content), 397), len(content)]:
        path.write_bytes(content[:length])
        for ask, expected in ((reader.header, header), (reader.read, IMAGE)):
            try:
                found = ask(str(path), 0)
            except ReadError:
                continue
            whole += 1
            np.testing.assert_equal(found, expected)
    assert whole >= 2


def test_a_description_that_is_cut_off_is_no_empty_one(reader, tmp_path):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, IMAGE, description="a text " * 20, metadata=None)
    tag = tag_position(path, 270)
    # The place of the text within the tag: 8 bytes into its 12.
    patch(path, tag.offset + 8, struct.pack("<I", path.stat().st_size - 5))
    refuse(path, reader.header, "ImageDescription")
    np.testing.assert_array_equal(reader.read(str(path), 0), IMAGE)


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage_gives_only_read_errors(reader, tmp_path, kind):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, IMAGE, description="a text", metadata=None, **KINDS[kind])
    content = path.read_bytes()
    chance = random.Random(11)  # noqa: S311 - not for secrets
    faults = 0
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[chance.randrange(300)] = chance.randrange(256)
        path.write_bytes(damaged)
        for ask in (reader.header, reader.read):
            try:
                ask(str(path), 0)
            except ReadError:
                faults += 1
    assert faults > 10


def damaged_file(tmp_path):
    """Make a file of which tifffile logs that a tag cannot be read."""
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, IMAGE, description="a text " * 20, metadata=None)
    patch(path, tag_position(path, 270).offset + 8, struct.pack("<I", 10_000_000))
    return path


def test_what_tifffile_says_is_not_printed(reader, tmp_path, caplog, capfd):
    path = damaged_file(tmp_path)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages.first.shape == IMAGE.shape
    assert any("270" in record.getMessage() for record in caplog.records), "tifffile says nothing of its own accord"
    caplog.clear()
    reader.read(str(path), 0)
    with pytest.raises(ReadError):
        reader.header(str(path), 0)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_what_tifffile_says_to_others_is_left_alone(reader, tmp_path, caplog):
    path = damaged_file(tmp_path)
    with pytest.raises(ReadError):
        reader.header(str(path), 0)
    logging.getLogger("tifffile").error("for others")
    thread = threading.Thread(target=logging.getLogger("tifffile").error, args=("of a thread",))
    thread.start()
    thread.join()
    assert [record.getMessage() for record in caplog.records] == ["for others", "of a thread"]
