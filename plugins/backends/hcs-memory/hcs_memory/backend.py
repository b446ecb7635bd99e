"""The storage backend `memory`: planes kept in this process until they are dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hcs_core import (
    MOSAIC,
    FinishedWell,
    ImageLayout,
    PlaneAddress,
    StorageError,
    StoreLayout,
    WellSummary,
    canonical_well,
    parse_well,
)

Planes = dict[PlaneAddress, npt.NDArray[Any]]


class MemoryWell:
    """One well's planes in memory.

    Notes
    -----
    Who owns the arrays: `write` keeps the very array that it is given and `read` returns that same array, without
    a copy. From `write` on it belongs to the store and its readers: whoever wrote it must not change it any more,
    and whoever reads it must not change it either.
    """

    def __init__(
        self,
        well: str,
        sites: frozenset[int],
        layout: StoreLayout,
        planes: Planes,
        mosaic: tuple[int, int] | None = None,
    ) -> None:
        self._well = well
        self._sites = sites
        self._layout = layout
        self._images = {
            is_mosaic: layout.layout_of(MOSAIC if is_mosaic else 1, mosaic) for is_mosaic in (False, True)
        }
        self._planes = planes
        self._bytes_written = 0

    def write(self, address: PlaneAddress, plane: npt.NDArray[Any]) -> None:
        """Keep a (y, x) plane of the layout's shape and dtype; it is not copied.

        Raises
        ------
        StorageError
            The plane has another shape or dtype, or the address is not one that was declared.
        """
        image = self._image(address)
        expected = image.shape[3:]
        if plane.shape != expected or plane.dtype != np.dtype(image.dtype):
            raise StorageError(
                f"{self._say(address)} is {plane.dtype} {plane.shape}; the store was declared with "
                f"{image.dtype} {expected}: give planes of that shape and dtype."
            )
        self._planes[address] = plane
        self._bytes_written += plane.nbytes

    def read(self, address: PlaneAddress) -> npt.NDArray[Any]:
        """Return the very (y, x) array that was written.

        Raises
        ------
        StorageError
            It was not written, or was dropped.
        """
        try:
            return self._planes[address]
        except KeyError as error:
            raise StorageError(
                f"{self._say(address)} was not written, or was dropped after its last reader."
            ) from error

    def drop(self, address: PlaneAddress) -> None:
        """Forget a plane, if it is there; its memory is free once its readers let go of it."""
        self._planes.pop(address, None)

    def close(self) -> WellSummary:
        """Return the bytes that were written, without display windows; what is held stays readable."""
        return WellSummary(bytes_written=self._bytes_written)

    def _say(self, address: PlaneAddress) -> str:
        field = "the mosaic" if address.site == MOSAIC else f"site {address.site}"
        return (
            f"the plane of well {self._well}, {field}, t {address.t}, c {address.c}, z {address.z} "
            f"in {self._layout.name} (in memory)"
        )

    def _image(self, address: PlaneAddress) -> ImageLayout:
        """Return the layout of the image that an address is in."""
        image = self._images[address.site == MOSAIC]
        if image is None or (address.site not in self._sites and address.site != MOSAIC):
            raise StorageError(f"{self._say(address)} is of a site that was not declared: declare it first.")
        sizes = image.shape[:3]
        index = (address.t, address.c, address.z)
        if any(not 0 <= i < size for i, size in zip(index, sizes, strict=True)):
            raise StorageError(f"{self._say(address)} lies outside the layout's (t, c, z) of {sizes}.")
        return image


class MemoryStore:
    """One store's wells in memory.

    It lives as long as this object, in one process: nothing of it travels to another one.
    """

    def __init__(self, layout: StoreLayout) -> None:
        self._layout = layout
        self._sites: dict[str, frozenset[int]] = {}
        self._mosaics: dict[str, tuple[int, int]] = {}
        self._planes: dict[str, Planes] = {}
        self._finished: set[str] = set()

    def declare(
        self, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, tuple[int, int]] | None = None
    ) -> None:
        """Note wells, sites and mosaics; an unfinished well starts afresh, a finished one is left alone."""
        frames = {canonical_well(well): frame for well, frame in (mosaics or {}).items()}
        for text, sites in wells.items():
            well = canonical_well(text)
            if well not in self._finished:
                self._sites[well] = frozenset(sites)
                self._mosaics.pop(well, None)
                if well in frames:
                    self._mosaics[well] = frames[well]
                self._planes[well] = {}

    def open_well(self, well: str, mosaic: tuple[int, int] | None = None) -> MemoryWell:  # noqa: ARG002  as declared
        """Return a declared well, for its one writer; what an earlier one wrote is in it.

        Raises
        ------
        StorageError
            The well was not declared.
        """
        name = canonical_well(well)
        self._refuse_undeclared(name)
        return MemoryWell(name, self._sites[name], self._layout, self._planes[name], self._mosaics.get(name))

    def finish_well(self, finished: FinishedWell) -> None:
        """List a well.

        Raises
        ------
        StorageError
            The well, or one of its sites, was not declared.
        """
        name = canonical_well(finished.well)
        self._refuse_undeclared(name)
        strange = sorted(set(finished.sites) - self._sites[name])
        if finished.mosaic is not None and name not in self._mosaics:
            raise StorageError(
                f"the mosaic of well {name} is not in {self._layout.name} (in memory): declare it first."
            )
        if strange:
            raise StorageError(
                f"sites {', '.join(map(str, strange))} of well {name} are not in {self._layout.name} (in memory): "
                "declare them first."
            )
        self._finished.add(name)

    def discard_well(self, well: str) -> None:
        """Forget a well and its planes; fine when there is nothing."""
        name = canonical_well(well)
        self._finished.discard(name)
        self._sites.pop(name, None)
        self._planes.pop(name, {}).clear()

    def finished_wells(self) -> tuple[str, ...]:
        """Return the wells that are listed, in their order on the plate."""
        return tuple(sorted(self._finished, key=parse_well))

    def _refuse_undeclared(self, well: str) -> None:
        if well not in self._sites:
            raise StorageError(
                f"well {well} is not in {self._layout.name} (in memory): declare it before it is opened or finished."
            )


class MemoryBackend:
    """Keeps images in this process's memory: for intermediates, not for results."""

    def open(self, folder: Path, layout: StoreLayout) -> MemoryStore:  # noqa: ARG002  the protocol's signature
        """Return an empty store of its own; `folder` is not used and nothing is written."""
        return MemoryStore(layout)
