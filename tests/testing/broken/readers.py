"""Readers that each break one rule of `ReaderContract`."""

import os
import weakref
from pathlib import Path

import attrs
import numpy as np
import pytest

from hcs_core import Header, ReadError, ReaderSpec
from hcs_core.testing import FakeReader, ReaderContract, WrittenPlane, fake_pixels, write_fake_plane

LARGE = (600, 900)
LARGE_FOR = {"Test_Whole", "Test_ReadsPixelsForAHeader"}


class Written:
    """The planes that are read: three files, one of them with two planes."""

    @pytest.fixture
    def planes(self, tmp_path):
        kinds = [("uint16", 1), ("float32", 1), ("uint8", 2)]
        planes = []
        for dtype, count in kinds:
            path = tmp_path / f"{dtype}.fake"
            write_fake_plane(path, dtype=dtype, planes=count)
            planes += [
                WrittenPlane(location=path, selector=n, pixels=fake_pixels(path.name, n, dtype=dtype), text=path.name)
                for n in range(count)
            ]
        if type(self).__name__ in LARGE_FOR:
            path = tmp_path / "large.fake"
            write_fake_plane(path, shape=LARGE)
            planes.append(WrittenPlane(location=path, pixels=fake_pixels(path.name, shape=LARGE)))
        return planes


def under_contract(breaks):
    """Put a reader under the contract, in a class that says which rule it breaks."""

    def declare(reader):
        spec = ReaderSpec(name="made_up", target=f"{__name__}:{reader.__name__}")
        name = f"Test_{reader.__name__}"
        globals()[name] = type(name, (Written, ReaderContract), {"reader": spec, "breaks": breaks})
        return reader

    return declare


@under_contract(None)
class Whole(FakeReader):
    pass


@under_contract("test_pixels_are_those_that_were_written")
class Inverts(FakeReader):
    def read(self, location, selector, region=None):
        inverted = super().read(location, selector).max() - super().read(location, selector)
        return inverted if region is None else inverted[region].copy()


@under_contract("test_the_dtype_is_the_stored_one_in_native_byte_order")
class KeepsTheBytesOrder(FakeReader):
    def read(self, location, selector, region=None):
        pixels = super().read(location, selector, region)
        return pixels.astype(pixels.dtype.newbyteorder(">"))


@under_contract("test_what_is_read_can_be_written_to")
class Locks(FakeReader):
    def read(self, location, selector, region=None):
        pixels = super().read(location, selector, region)
        pixels.flags.writeable = False
        return pixels


@under_contract("test_the_header_agrees_with_the_pixels")
class SwapsTheHeadersAxes(FakeReader):
    def header(self, location, selector):
        header = super().header(location, selector)
        return attrs.evolve(header, shape=header.shape[::-1])

    def read(self, location, selector, region=None):
        return FakeReader().read(location, selector, region)


@under_contract("test_the_header_agrees_with_the_pixels")
class ForgetsTheText(FakeReader):
    def header(self, location, selector):
        return attrs.evolve(super().header(location, selector), text="")

    def read(self, location, selector, region=None):
        return FakeReader().read(location, selector, region)


@under_contract("test_a_header_reads_no_pixels")
class ReadsPixelsForAHeader(FakeReader):
    def header(self, location, selector):
        header = super().header(location, selector)
        np.zeros(header.shape, header.dtype)
        return header


@under_contract("test_a_region_is_what_slicing_gives")
class IgnoresSteps(FakeReader):
    def read(self, location, selector, region=None):
        return super().read(location, selector, region and tuple(slice(s.start, s.stop) for s in region))


@under_contract("test_two_reads_are_equal_and_apart")
class Caches(FakeReader):
    def __init__(self):
        self.kept = {}

    def read(self, location, selector, region=None):
        if (location, selector) not in self.kept:
            self.kept[location, selector] = super().read(location, selector)
        whole = self.kept[location, selector]
        return whole if region is None else whole[region].copy()


@under_contract("test_a_selector_out_of_range_is_an_error")
class CountsFromTheEnd(FakeReader):
    def header(self, location, selector):
        return super().header(location, max(selector, 0))


@under_contract("test_a_file_that_is_not_there_is_an_error")
class RaisesWhatTheSystemRaises(FakeReader):
    def header(self, location, selector):
        os.stat(location)  # noqa: PTH116 - it raises FileNotFoundError
        return super().header(location, selector)


@under_contract("test_a_file_that_is_not_there_is_an_error")
class DoesNotSayWhere(FakeReader):
    def header(self, location, selector):
        if not Path(location).exists():
            raise ReadError("the file is not there")
        return super().header(location, selector)


@under_contract("test_an_empty_file_is_an_error")
class TakesNothingForAPlane(FakeReader):
    def header(self, location, selector):
        if Path(location).exists() and not Path(location).stat().st_size:
            return Header(shape=(24, 32), dtype="uint16", text="")
        return super().header(location, selector)


@under_contract("test_a_text_file_is_an_error")
class TakesTextForAPlane(FakeReader):
    def header(self, location, selector):
        if Path(location).exists() and Path(location).read_bytes().startswith(b"<html"):
            return Header(shape=(24, 32), dtype="uint16", text="")
        return super().header(location, selector)


@under_contract("test_a_file_that_is_cut_off_is_whole_or_an_error")
class MakesUpPixels(FakeReader):
    def read(self, location, selector, region=None):
        content = Path(location).read_bytes() if Path(location).exists() else b""
        if content.startswith(b"fake ") and not content.endswith(b"\n"):
            return np.zeros((24, 32), np.uint16)
        return super().read(location, selector, region)


@under_contract("test_no_file_is_left_open")
class LeavesAFileOpen(FakeReader):
    def read(self, location, selector, region=None):
        pixels = super().read(location, selector, region)
        weakref.finalize(self, os.close, os.open(location, os.O_RDONLY))
        return pixels


@under_contract("test_nothing_is_written")
class WritesACache(FakeReader):
    def read(self, location, selector, region=None):
        pixels = super().read(location, selector, region)
        Path(f"{location}.cache").write_bytes(pixels.tobytes())
        return pixels
