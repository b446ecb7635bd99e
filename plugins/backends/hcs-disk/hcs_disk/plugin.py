"""What this distribution declares to hcs_core."""

from collections.abc import Iterator

from hcs_core import ReaderSpec, hookimpl

hcs_api = 1


@hookimpl
def hcs_readers() -> Iterator[ReaderSpec]:
    """Declare the reader of TIFF files."""
    yield ReaderSpec(
        name="tiff",
        target="hcs_disk.tiff:TiffReader",
        summary="TIFF and BigTIFF, any byte order, strips or tiles, raw, LZW, Deflate and others",
    )
