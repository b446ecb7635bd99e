"""Where arrays rest: the protocols of a storage backend, its store, and what a worker gets of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from hcs_core.storage.layout import FinishedWell, PlaneAddress, StoreLayout, WellSummary


@runtime_checkable
class WellStore(Protocol):
    """One well's images in a store, open in the worker that owns the well."""

    def write(self, address: PlaneAddress, plane: npt.NDArray[Any]) -> None:
        """Write a (y, x) plane of the layout's shape and dtype.

        Raises
        ------
        StorageError
            It cannot be written; the text says where and why.
        """
        ...

    def read(self, address: PlaneAddress) -> npt.NDArray[Any]:
        """Return a plane that was written.

        Raises
        ------
        StorageError
            It was not written, or cannot be read.
        """
        ...

    def close(self) -> WellSummary:
        """Write what is still held, and return what the driver needs for the well's metadata."""
        ...


@runtime_checkable
class Droppable(Protocol):
    """A `WellStore` that can forget a plane, for intermediates after their last reader."""

    def drop(self, address: PlaneAddress) -> None:
        """Forget a plane."""
        ...


@runtime_checkable
class Restartable(Protocol):
    """A `WellStore` that has to be told when its well is begun anew, as what was written would leave traces."""

    def restart(self) -> None:
        """Forget all that was written to the well; its arrays stay declared.

        Raises
        ------
        StorageError
            Something cannot be removed.
        """
        ...


@runtime_checkable
class ImageStore(Protocol):
    """One store: the driver declares it and lists finished wells, workers write wells, each its own."""

    def declare(
        self, wells: Mapping[str, Sequence[int]], mosaics: Mapping[str, tuple[int, int]] | None = None
    ) -> None:
        """Make the arrays of these wells and sites, so that they exist before any worker starts.

        `mosaics` has the (y, x) of the mosaic of each of these wells that gets one; a well may have no sites then.

        What is declared is not yet listed: readers see a well only after `finish_well`. A well that was declared
        before and not finished starts afresh; what an earlier run left of others that it did not finish is removed.
        """
        ...

    def open_well(self, well: str, mosaic: tuple[int, int] | None = None) -> WellStore:
        """Return a declared well, for its one writer; `mosaic` is the (y, x) that it was declared with."""
        ...

    def finish_well(self, finished: FinishedWell) -> None:
        """Write the metadata of a well whose images are whole, and list it in the plate."""
        ...

    def discard_well(self, well: str) -> None:
        """Remove what a well that did not finish has left."""
        ...

    def finished_wells(self) -> tuple[str, ...]:
        """Return the wells that are listed."""
        ...


@runtime_checkable
class FinishesMany(Protocol):
    """An `ImageStore` that lists several finished wells for little more than the price of one."""

    def finish_wells(self, finished: Sequence[FinishedWell]) -> None:
        """Do what `finish_well` does, for each; where it cannot, none of them may be listed.

        Raises
        ------
        StorageError
            One of them cannot be finished.
        """
        ...


@runtime_checkable
class StorageBackend(Protocol):
    """A way to store images; made without arguments."""

    def open(self, folder: Path, layout: StoreLayout) -> ImageStore:
        """Return the store `folder / layout.name`, in whatever state it is; nothing is made yet."""
        ...
