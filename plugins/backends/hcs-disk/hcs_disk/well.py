"""One well's planes, open in the worker that writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core import MOSAIC, ImageLayout, PlaneAddress, ReadError, StorageError, StoreLayout, WellSummary
from hcs_disk.display import GreyValues
from hcs_disk.ome import ome_xml
from hcs_disk.places import plane_name, storing
from hcs_disk.plane_files import write_plane
from hcs_disk.tiff import TiffReader


class DiskWell:
    """A declared well: each plane that is written is a file, and nothing of it is kept in memory.

    It is for one writer and one thread. Several wells can be written at once, by threads or processes.

    Parameters
    ----------
    folder
        The well's folder.
    well
        Its name.
    sites
        The sites that were declared, `MOSAIC` among them where the well has one.
    layout
        The layout of the store.
    mosaic
        (y, x) of the well's mosaic; `None` where there is none.
    """

    def __init__(
        self,
        folder: Path,
        well: str,
        sites: frozenset[int],
        layout: StoreLayout,
        mosaic: tuple[int, int] | None = None,
    ) -> None:
        self._folder = folder
        self._well = well
        self._sites = sites
        self._layout = layout
        self._images = {
            is_mosaic: layout.layout_of(MOSAIC if is_mosaic else 1, mosaic) for is_mosaic in (False, True)
        }
        self._grey_values = {
            is_mosaic: GreyValues(image.shape[1]) for is_mosaic, image in self._images.items() if image is not None
        }
        self._bytes_written = 0
        self._summary: WellSummary | None = None

    def write(self, address: PlaneAddress, plane: npt.NDArray[Any]) -> None:
        """Write a (y, x) plane of the layout's shape and dtype into its file.

        Raises
        ------
        StorageError
            The plane has another shape or dtype, the address lies outside the layout, the site was not declared, the
            well is closed, or the operating system refuses to write.
        """
        if self._summary is not None:
            raise StorageError(f"well {self._well} in {self._folder} is closed: write before close().")
        image = self._image(address)
        path = self._path(address)
        expected = image.shape[3:]
        if plane.shape != expected or plane.dtype != np.dtype(image.dtype):
            raise StorageError(
                f"{path} would be {plane.dtype} {plane.shape}; the store was declared with {image.dtype} {expected}: "
                "give planes of that shape and dtype."
            )
        text = ome_xml(self._layout, image, self._well, address) if self._layout.image_metadata else None
        write_plane(path, plane, text, pixel_size_um=image.pixel_size_um, compression=self._layout.compression)
        self._grey_values[address.site == MOSAIC].add(address.c, plane)
        self._bytes_written += plane.nbytes

    def read(self, address: PlaneAddress) -> npt.NDArray[Any]:
        """Return a (y, x) plane that was written, in an array of its own.

        Raises
        ------
        StorageError
            It was not written or was dropped, its file is damaged, or the address lies outside the layout.
        """
        path = self._path(address)
        if not path.is_file():
            raise StorageError(f"{path} was not written, or was dropped after its last reader.")
        try:
            return TiffReader().read(str(path), 0)
        except ReadError as error:
            raise StorageError(f"a plane cannot be read back: {error}") from error

    def drop(self, address: PlaneAddress) -> None:
        """Remove a plane's file, if it is there.

        Raises
        ------
        StorageError
            The operating system refuses, or the address lies outside the layout.
        """
        path = self._path(address)
        with storing(path):
            path.unlink(missing_ok=True)

    def close(self) -> WellSummary:
        """Return each channel's display window, and the bytes of the planes before compression.

        Closing again returns the same.
        """
        if self._summary is None:
            shown = {is_mosaic: values.windows() for is_mosaic, values in self._grey_values.items()}
            self._summary = WellSummary(
                windows=shown.get(False, ()), mosaic_windows=shown.get(True, ()), bytes_written=self._bytes_written
            )
        return self._summary

    def _image(self, address: PlaneAddress) -> ImageLayout:
        """Return the layout of the image that an address is in."""
        image = self._images[address.site == MOSAIC]
        if image is None or address.site not in self._sites:
            named = "the mosaic" if address.site == MOSAIC else f"site {address.site}"
            raise StorageError(f"{named} of well {self._well} is not in {self._folder}: declare it first.")
        return image

    def _path(self, address: PlaneAddress) -> Path:
        path = self._folder / plane_name(self._well, address)
        index, sizes = (address.t, address.c, address.z), self._image(address).shape[:3]
        if any(not 0 <= i < size for i, size in zip(index, sizes, strict=True)):
            raise StorageError(f"{path} (t, c, z: {index}) lies outside the layout's (t, c, z) of {sizes}.")
        return path
