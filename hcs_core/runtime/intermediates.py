"""Planes between two nodes, held in the plan's intermediate backend until their last reader has come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy.typing as npt

from hcs_core.compiler.image_plan import ImagePlan
from hcs_core.compiler.plan import PLATE, Plan, Port, WellShape
from hcs_core.compiler.presence import PlaneKey
from hcs_core.compiler.stores_pass import MOSAIC_CHUNK
from hcs_core.plugins.manager import PluginManager
from hcs_core.storage.backend import Droppable, StorageBackend, WellStore
from hcs_core.storage.layout import ChannelLayout, Compression, ImageLayout, PlaneAddress, StoreLayout


class Intermediates:
    """Holds the planes of one well; a store is opened for an image when its first plane has to wait."""

    def __init__(self, plan: Plan, plugins: PluginManager, well: str, shape: WellShape) -> None:
        self._plan = plan
        self._plugins = plugins
        self._well = well
        self._shape = shape
        self._lanes = plan.lanes
        self._stores: dict[str, WellStore] = {}

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
            backend: StorageBackend = self._plugins.storage_backends.load(self._plan.intermediate_backend)()
            store = backend.open(Path(), _layout(self._plan, name, image))
            if image.is_mosaic:
                frame = self._shape.frame(image)
                store.declare({self._well: ()}, mosaics={self._well: frame})
                self._stores[name] = store.open_well(self._well, frame)
            else:
                store.declare({self._well: self._shape.sites})
                self._stores[name] = store.open_well(self._well)
        return self._stores[name]


def plane_address(image: ImagePlan, channel: int, key: PlaneKey) -> PlaneAddress:
    """Return where a plane lies in the arrays of an image: along t and z, its number less the lowest."""
    return PlaneAddress(
        site=key.site, t=key.timepoint - image.timepoints[0], c=channel, z=key.z_index - image.z_indexes[0]
    )


def _layout(plan: Plan, name: str, image: ImagePlan) -> StoreLayout:
    layout = ImageLayout(
        shape=image.array_shape,
        dtype=image.dtype,
        channels=tuple(ChannelLayout(name=channel.name) for channel in image.channels),
        level_shapes=(image.shape,),
        chunk=(1, 1, 1, *image.shape),
    )
    return StoreLayout(
        name=name,
        plate_name=plan.plate,
        plate_format=(1, 1),
        image=None if image.is_mosaic else layout,
        mosaic=attrs.evolve(layout, level_shapes=(), chunk=MOSAIC_CHUNK) if image.is_mosaic else None,
        compression=Compression(codec="none"),
        field_count=1,
    )
