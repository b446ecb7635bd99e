"""`ReaderContract`: what every reader has to pass."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.errors import ReadError, one_line
from hcs_core.plate.reader import Reader, Region
from hcs_core.plugins.specs import ReaderSpec
from hcs_core.testing.contracts.folders import fingerprint
from hcs_core.testing.contracts.reader_files import OPEN_FILES, WrittenPlane, open_below, spoiled
from hcs_core.testing.contracts.targets import made

REGIONS: tuple[Region, ...] = (
    (slice(None), slice(None)),
    (slice(1, 4), slice(2, 3)),
    (slice(0, 1), slice(None)),
    (slice(-3, None), slice(-4, -1)),
    (slice(2, 10_000), slice(1, 10_000)),
    (slice(0, None, 3), slice(1, None, 2)),
    (slice(4, 4), slice(None)),
)
"""Rows and columns as they are asked for: with ends beyond the plane, from the end, in steps, and none."""


class ReaderContract:
    """What every reader has to pass: the pixels that were written, or an error that starts with the path.

    Attributes
    ----------
    reader
        What the plugin declares.

    Notes
    -----
    `planes` is yours to write: a fixture that writes planes of different dtypes, larger than 5 x 5 and not square,
    with another library than the reader's where there is one, and returns all that there are in each file, or at
    least the last. What spoils a file is done to copies beside it.

    Examples
    --------
    ::

        class TestCzi(ReaderContract):
            reader = next(iter(plugin.hcs_readers()))

            @pytest.fixture
            def planes(self, tmp_path):
                pixels = np.arange(70, dtype="uint16").reshape(7, 10)
                czifile.imwrite(tmp_path / "one.czi", pixels)
                return [WrittenPlane(location=tmp_path / "one.czi", pixels=pixels)]
    """

    reader: ClassVar[ReaderSpec]

    @pytest.fixture
    def planes(self) -> Sequence[WrittenPlane]:
        """Planes that were written for the test."""
        pytest.fail(
            "ReaderContract needs a fixture `planes` that writes planes and returns a WrittenPlane for each.",
            pytrace=False,
        )

    @pytest.fixture
    def opened(self) -> Reader:
        """A reader."""
        reader: Reader = made(self.reader)
        return reader

    def test_pixels_are_those_that_were_written(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """Axes y and x, every value as it is stored: no scaling, no palette, no inversion."""
        for plane in planes:
            found = _read(opened, plane)
            assert np.array_equal(found, plane.pixels), (
                f"a reader gives the stored (y, x) values: those of {_where(plane)} differ from what was written; "
                "scale, transpose and convert nothing."
            )

    def test_the_dtype_is_the_stored_one_in_native_byte_order(
        self, opened: Reader, planes: Sequence[WrittenPlane]
    ) -> None:
        """Kernels and stores take native arrays only."""
        for plane in planes:
            found, expected = _read(opened, plane).dtype, plane.pixels.dtype.newbyteorder("=")
            assert found == expected and found.isnative, (  # noqa: PT018 - one rule, one sentence
                f"pixels have the stored dtype in native byte order: those of {_where(plane)} are {found.str}, not "
                f"{expected.str}; end with .astype(dtype.newbyteorder('='), copy=False)."
            )

    def test_what_is_read_can_be_written_to(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """Whoever reads a plane owns it."""
        for plane in planes:
            for region in (None, REGIONS[1]):
                found = _read(opened, plane, region)
                assert found.flags.writeable, (
                    f"what a reader returns is writable: that of {_where(plane)}, region {region}, is not; return a "
                    "copy of mapped or cached memory."
                )

    def test_the_header_agrees_with_the_pixels(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """Plans are made from headers: shape, dtype and text are those of the plane."""
        for plane in planes:
            header = opened.header(str(plane.location), plane.selector)
            found = (tuple(header.shape), header.dtype)
            expected = (plane.pixels.shape, plane.pixels.dtype.name)
            assert found == expected, (
                f"a header says shape (y, x) and numpy's name of the dtype: that of {_where(plane)} says {found}, "
                f"the pixels are {expected}."
            )
            assert plane.text in {None, header.text}, (
                f"a header's text is the one beside the pixels: that of {_where(plane)} is {header.text!r}, written "
                f"was {plane.text!r}."
            )

    def test_a_header_reads_no_pixels(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """A plate's headers are read before anything is planned: that must not cost what its pixels cost."""
        plane = max(planes, key=lambda item: item.pixels.nbytes)
        if plane.pixels.nbytes < 2**20:
            pytest.skip("no plane has a MiB: let `planes` hold one of 1024 x 1024 uint16 to see what a header reads")
        opened.header(str(plane.location), plane.selector)
        tracemalloc.start()
        try:
            opened.header(str(plane.location), plane.selector)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < plane.pixels.nbytes // 2, (
            f"a header is read without the pixels: {peak:,} bytes were held for the header of {_where(plane)}, whose "
            f"pixels are {plane.pixels.nbytes:,}; read shape and dtype from the file's own header."
        )

    def test_a_region_is_what_slicing_gives(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """`read(..., region)` is `read(...)[region]`, whatever the slices."""
        for plane in planes:
            for region in REGIONS:
                found, expected = _read(opened, plane, region), _read(opened, plane)[region]
                assert np.array_equal(found, expected), (
                    f"a region is what slicing the plane gives: of {_where(plane)}, region {region} has other pixels "
                    f"or another shape ({found.shape}, expected {expected.shape})."
                )

    def test_two_reads_are_equal_and_apart(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """What is done to one array does not show in the next one."""
        for plane in planes:
            first = _read(opened, plane)
            before = first.copy()
            if first.flags.writeable:
                first[...] = 0
            assert np.array_equal(_read(opened, plane), before), (
                f"two reads of {_where(plane)} give equal arrays with memory of their own: the second is another one "
                "after the first was changed; return a copy of what is kept."
            )

    @pytest.mark.parametrize("beyond", [-1, 1, 10_000])
    def test_a_selector_out_of_range_is_an_error(
        self, opened: Reader, planes: Sequence[WrittenPlane], beyond: int
    ) -> None:
        """-1 is no page, nor is one after the last."""
        last = {plane.location: 0 for plane in planes}
        for plane in planes:
            last[plane.location] = max(last[plane.location], plane.selector)
        for location, selector in last.items():
            wrong = beyond if beyond < 0 else selector + beyond
            _refuses(opened, location, wrong, "a selector out of range")

    def test_a_file_that_is_not_there_is_an_error(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """The path is in the text."""
        for plane in planes:
            location = plane.location.with_name(f"gone_{plane.location.name}")
            _refuses(opened, location, plane.selector, "a file that is not there")

    def test_an_empty_file_is_an_error(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """0 bytes: the copy was cut off."""
        for plane in planes:
            location = spoiled(plane.location, "empty", lambda _content: b"")
            _refuses(opened, location, plane.selector, "an empty file")

    def test_a_text_file_is_an_error(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """A web server's error page under an image's name."""
        for plane in planes:
            location = spoiled(plane.location, "text", lambda _content: b"<html><body>404 not found</body></html>\n")
            _refuses(opened, location, plane.selector, "a text file under an image's name")

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
    def test_a_file_that_is_cut_off_is_whole_or_an_error(
        self, opened: Reader, planes: Sequence[WrittenPlane], part: float
    ) -> None:
        """No pixel is made up: a plane comes back as it was, or not at all."""
        for number, plane in enumerate(planes):
            location = spoiled(plane.location, f"cut_{number}", lambda content: content[: int(len(content) * part)])
            try:
                found = opened.read(str(location), plane.selector)
            except ReadError:
                continue
            # Another error than ReadError is the fault that this is about: it ends up as the test's failure.
            except Exception as error:  # noqa: BLE001
                pytest.fail(_no_read_error("a file that is cut off", location, error), pytrace=False)
            assert np.array_equal(found, plane.pixels), (
                f"of a file that is cut off a plane is whole, or a ReadError: {location} gives other pixels than "
                "were written; compare what the file claims with its size."
            )

    def test_no_file_is_left_open(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """A plate has more files than a process may have open."""
        if not OPEN_FILES.is_dir():
            pytest.skip("this system does not say which files are open: run it on Linux")
        for plane in planes:
            before = open_below(plane.location.parent)
            opened.header(str(plane.location), plane.selector)
            _read(opened, plane)
            broken = spoiled(plane.location, "open", lambda content: content[: len(content) // 2])
            for ask in (opened.header, opened.read):
                try:
                    ask(str(broken), plane.selector)
                # Only the files that it leaves open are looked at here.
                except Exception as error:  # noqa: BLE001
                    del error
            left = sorted(open_below(plane.location.parent) - before)
            assert not left, (
                f"a reader closes what it opens, after an error too: {', '.join(left)} is open; use `with`."
            )

    def test_nothing_is_written(self, opened: Reader, planes: Sequence[WrittenPlane]) -> None:
        """Originals stay as they are, to the last bit and second."""
        folders = {plane.location.parent for plane in planes}
        before = {folder: fingerprint(folder) for folder in folders}
        for plane in planes:
            opened.header(str(plane.location), plane.selector)
            _read(opened, plane)
        changed = sorted({line for folder in folders for line in before[folder] ^ fingerprint(folder)})
        assert not changed, f"a reader writes nothing, neither into its files nor beside them: {'; '.join(changed)}."


def _where(plane: WrittenPlane) -> str:
    return f"{plane.location.name}, selector {plane.selector}"


def _read(reader: Reader, plane: WrittenPlane, region: Region | None = None) -> npt.NDArray[Any]:
    return reader.read(str(plane.location), plane.selector, region)


def _refuses(reader: Reader, location: Path, selector: int, what: str) -> None:
    """Check that `header` and `read` raise a ReadError in one line that starts with the path."""
    for ask in (reader.header, reader.read):
        try:
            ask(str(location), selector)
        except ReadError as error:
            text = str(error)
            assert text.startswith(str(location)) and "\n" not in text, (  # noqa: PT018 - one rule, one sentence
                f"a ReadError is one line that starts with the path, as it goes into failed.csv: for {what} {text!r} "
                f"does not start with {location}."
            )
        # Another error than ReadError is the fault that this is about: it ends up as the test's failure.
        except Exception as error:  # noqa: BLE001
            pytest.fail(_no_read_error(what, location, error), pytrace=False)
        else:
            pytest.fail(f"{what} is a ReadError: {ask.__name__} of {location}, {selector} returned.", pytrace=False)


def _no_read_error(what: str, location: Path, error: Exception) -> str:
    return f"{what} is a ReadError: for {location} it was {one_line(error)}; turn it into one, with its cause."
