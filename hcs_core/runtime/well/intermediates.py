"""Planes between two nodes, held in the plan's intermediate backend until their last reader has come.

Where that backend is on disk, they lie in a folder of their own for each well, in the output's `.hcs`: never in the
plate, and never where somebody takes them for results. It goes with the well, whatever becomes of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.order.presence import PlaneKey
from hcs_core.compiler.passes.stores import MOSAIC_CHUNK
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.well_shape import WellShape
from hcs_core.errors import StorageError
from hcs_core.plate.wells import parse_well
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.journal import FOLDER
from hcs_core.storage.backend import Droppable, StorageBackend, WellStore
from hcs_core.storage.layout import ChannelLayout, Compression, ImageLayout, PlaneAddress, StoreLayout

WAITING = "waiting"
"""The folder in the output's `.hcs` in which the wells in hand have theirs."""


class Intermediates:
    """Holds the planes of one well; a store is opened for an image when its first plane has to wait.

    Parameters
    ----------
    plan
        The plan, which names the backend.
    plugins
        Where it is registered.
    output
        The output folder of the run.
    well, shape
        What planes are held of.

    Notes
    -----
    It is a context: what a worker that was killed has left of the well is removed when it is entered, and what it
    holds itself when it is left.
    """

    def __init__(self, plan: Plan, plugins: PluginManager, output: Path, well: str, shape: WellShape) -> None:
        self._plan = plan
        self._plugins = plugins
        self._folder = output / FOLDER / WAITING / well
        self._well = well
        self._shape = shape
        self._lanes = plan.lanes
        self._stores: dict[str, WellStore] = {}

    def __enter__(self) -> Self:
        """Begin with nothing.

        Raises
        ------
        StorageError
            What an earlier attempt has left cannot be removed.
        """
        _remove(self._folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what is still held.

        Raises
        ------
        StorageError
            It cannot be removed.
        """
        self._stores.clear()
        _remove(self._folder)

    def put(self, port: Port, key: PlaneKey, plane: npt.NDArray[Any]) -> None:
        """Hold a plane."""
        name, image, channel = self._place(port)
        self._store(name, image).write(plane_address(image, channel, key), plane)

    def take(self, port: Port, key: PlaneKey, *, last: bool) -> npt.NDArray[Any]:
        """Return a plane that is held, and forget it after its last reader."""
        name, image, channel = self._place(port)
        store = self._store(name, image)
        address = plane_address(image, channel, key)
        plane = store.read(address)
        if last and isinstance(store, Droppable):
            store.drop(address)
        return plane

    def _place(self, port: Port) -> tuple[str, ImagePlan, int]:
        """Return the name of a port's store, the image that it holds, and the port's channel in it."""
        if port.node != PLATE:
            return f"node_{port.node}", self._plan.nodes[port.node].output, port.channel
        image, channel = self._lanes[port.channel]
        return f"source_{self._plan.sources.index(image)}", image, image.channels.index(channel)

    def _store(self, name: str, image: ImagePlan) -> WellStore:
        if name not in self._stores:
            backend: StorageBackend = self._plugins.storage_backends.make(self._plan.intermediate_backend)
            store = backend.open(self._folder, _layout(self._plan, name, image, self._well))
            frame = self._shape.frame(image) if image.is_mosaic else None
            if frame is None:
                store.declare({self._well: self._shape.sites})
            else:
                store.declare({self._well: ()}, mosaics={self._well: frame})
            self._stores[name] = store.open_well(self._well, frame)
        return self._stores[name]


def plane_address(image: ImagePlan, channel: int, key: PlaneKey) -> PlaneAddress:
    """Return where a plane lies in the arrays of an image: along t and z, its number less the lowest."""
    return PlaneAddress(
        site=key.site, t=key.timepoint - image.timepoints[0], c=channel, z=key.z_index - image.z_indexes[0]
    )


def clear_waiting(output: Path) -> None:
    """Remove what wells that were cut off have left in an output folder: those of an earlier run, or of workers.

    Raises
    ------
    StorageError
        Something cannot be removed.
    """
    _remove(output / FOLDER / WAITING)


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(
            f"{error.filename or folder} cannot be removed ({error.strerror}): it held planes between steps and is "
            "of no use any more; see to permissions there, or remove it by hand."
        ) from error


def _layout(plan: Plan, name: str, image: ImagePlan, well: str) -> StoreLayout:
    row, column = parse_well(well)
    layout = ImageLayout(
        shape=image.array_shape,
        dtype=image.dtype,
        channels=tuple(ChannelLayout(name=channel.name) for channel in image.channels),
        # No pyramid.
        level_shapes=(image.shape,),
        chunk=MOSAIC_CHUNK if image.is_mosaic else (1, 1, 1, *image.shape),
    )
    return StoreLayout(
        name=name,
        plate_name=plan.plate,
        plate_format=(row + 1, column + 1),
        image=None if image.is_mosaic else layout,
        mosaic=layout if image.is_mosaic else None,
        # Written once and read once or twice, soon: packing would cost more than it saves.
        compression=Compression(codec="none"),
        field_count=1,
        image_metadata=False,
        plate_metadata=False,
    )
