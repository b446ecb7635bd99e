"""One well's images, open in the worker that writes them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core import MOSAIC, ImageLayout, PlaneAddress, StorageError, StoreLayout, WellSummary
from hcs_zarr.chunks import LevelWriter
from hcs_zarr.display import DisplayWindows
from hcs_zarr.levels import LevelArray, level_arrays
from hcs_zarr.places import image_name, storing
from hcs_zarr.pyramid import half


class _Kind:
    """What the images of a well's sites share, or what there is to know of its mosaic."""

    def __init__(self, store: StoreLayout, image: ImageLayout) -> None:
        self.image = image
        self.dtype = np.dtype(image.dtype)
        self.levels: tuple[LevelArray, ...] = level_arrays(store, image)
        self.display = DisplayWindows(image.shape[1])


class ZarrWell:
    """A declared well's images: planes go in, pyramids and chunks come out.

    It is for one writer and one thread. Several wells can be written at once, by threads or processes.

    Parameters
    ----------
    folder
        The well's folder.
    well
        Its name, for messages.
    layout
        The layout of the store.
    mosaic
        (y, x) of the well's mosaic; `None` where there is none.
    """

    def __init__(self, folder: Path, well: str, layout: StoreLayout, mosaic: tuple[int, int] | None = None) -> None:
        self._folder = folder
        self._well = well
        self._layout = layout
        self._mosaic = mosaic
        self._begin()

    def _begin(self) -> None:
        """Know of nothing that was written."""
        self._kinds: dict[bool, _Kind] = {}
        self._images: dict[int, tuple[LevelWriter, ...]] = {}
        self._bytes_written = 0
        self._summary: WellSummary | None = None

    def write(self, address: PlaneAddress, plane: npt.NDArray[Any]) -> None:
        """Write a (y, x) plane of the layout's shape and dtype, and its levels.

        Nothing of the plane is kept after the call, but where chunks span several planes: then those of a chunk
        are held until it is complete, or until `close`.

        Raises
        ------
        StorageError
            The plane has another shape or dtype, the address lies outside the layout, the site was not
            declared, the well is closed, or the operating system refuses to write.
        """
        if self._summary is not None:
            raise StorageError(f"well {self._well} in {self._folder} is closed: write before close().")
        index = self._index(address)
        kind = self._kind(address.site)
        self._refuse_other_planes(address, plane, kind)
        level = np.ascontiguousarray(plane)
        for number, writer in enumerate(self._image(address.site)):
            if number:
                level = half(level)
            writer.put(index, level)
        if self._layout.image_metadata:
            kind.display.add(address.c, level)
        self._bytes_written += plane.nbytes

    def read(self, address: PlaneAddress) -> npt.NDArray[Any]:
        """Return a full-level (y, x) plane that was written, in an array of its own.

        Raises
        ------
        StorageError
            The plane was not written, its chunk cannot be decoded, or the address lies outside the layout.

        Notes
        -----
        A store does not record which planes of a chunk were written: one that was absent from a chunk of several
        planes is known as such only to the object that wrote the chunk; to others it reads as 0.
        """
        index = self._index(address)
        plane = self._image(address.site)[0].read(index)
        if plane is None:
            raise StorageError(f"{self._say(address)} was not written, or was dropped after its last reader.")
        return plane

    def drop(self, address: PlaneAddress) -> None:
        """Forget a plane and its levels, if it is there.

        Raises
        ------
        StorageError
            A chunk cannot be removed, or the address lies outside the layout.
        """
        index = self._index(address)
        for writer in self._image(address.site):
            writer.drop(index)

    def close(self) -> WellSummary:
        """Write the chunks that are still held, and return each channel's display window and what was written.

        `bytes_written` counts the bytes of full-level planes before compression. Closing again returns the same.

        Raises
        ------
        StorageError
            A chunk cannot be written.
        """
        if self._summary is None:
            for levels in self._images.values():
                for level in levels:
                    level.flush()
            shown = {is_mosaic: self._windows(is_mosaic) for is_mosaic in (False, True)}
            self._summary = WellSummary(
                windows=shown[False], mosaic_windows=shown[True], bytes_written=self._bytes_written
            )
        return self._summary

    def restart(self) -> None:
        """Remove every chunk of the well: a shard that is filled anew would keep the bytes of its first filling.

        Raises
        ------
        StorageError
            A chunk cannot be removed.
        """
        self._begin()
        with storing(self._folder):
            # An array has documents and folders of chunks, whatever its format.
            for chunks in (path for path in self._folder.glob("*/*/*") if path.is_dir()):
                shutil.rmtree(chunks)

    def _say(self, address: PlaneAddress) -> str:
        return (
            f"the plane of well {self._well}, {_named(address.site)}, t {address.t}, c {address.c}, z {address.z} "
            f"in {self._folder / image_name(address.site)}"
        )

    def _index(self, address: PlaneAddress) -> tuple[int, int, int]:
        index = (address.t, address.c, address.z)
        sizes = self._kind(address.site).image.shape[:3]
        if any(not 0 <= i < size for i, size in zip(index, sizes, strict=True)):
            raise StorageError(f"{self._say(address)} lies outside the layout's (t, c, z) of {sizes}.")
        return index

    def _refuse_other_planes(self, address: PlaneAddress, plane: npt.NDArray[Any], kind: _Kind) -> None:
        expected = kind.image.shape[3:]
        if plane.shape != expected or plane.dtype != kind.dtype:
            raise StorageError(
                f"{self._say(address)} is {plane.dtype} {plane.shape}; the store was declared with "
                f"{kind.dtype} {expected}: give planes of that shape and dtype."
            )

    def _kind(self, site: int) -> _Kind:
        is_mosaic = site == MOSAIC
        if is_mosaic not in self._kinds:
            image = self._layout.layout_of(site, self._mosaic)
            if image is None:
                raise StorageError(f"{_named(site)} of well {self._well} is not in {self._folder}: declare it first.")
            self._kinds[is_mosaic] = _Kind(self._layout, image)
        return self._kinds[is_mosaic]

    def _windows(self, is_mosaic: bool) -> tuple[tuple[float, float], ...]:
        image = self._layout.mosaic if is_mosaic else self._layout.image
        if image is None or (is_mosaic and self._mosaic is None):
            return ()
        known = self._kinds.get(is_mosaic)
        return (known.display if known else DisplayWindows(image.shape[1])).windows()

    def _image(self, site: int) -> tuple[LevelWriter, ...]:
        if site not in self._images:
            folder = self._folder / image_name(site)
            levels = self._kind(site).levels
            if site < MOSAIC or not (folder / "0" / levels[0].format.array).is_file():
                raise StorageError(f"{_named(site)} of well {self._well} is not in {self._folder}: declare it first.")
            self._images[site] = tuple(LevelWriter(folder / str(level), array) for level, array in enumerate(levels))
        return self._images[site]


def _named(site: int) -> str:
    return "the mosaic" if site == MOSAIC else f"site {site}"
