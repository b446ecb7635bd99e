"""Layouts and plates to test with; what is written is random, and known to the test."""

from __future__ import annotations

import json
from functools import partial
from itertools import product

import attrs
import numpy as np
import pytest

from hcs_core import (
    ChannelLayout,
    Compression,
    FinishedWell,
    ImageLayout,
    PlaneAddress,
    StoreLayout,
    level_shapes,
)
from hcs_zarr.backend import ZarrBackend


@attrs.frozen(kw_only=True)
class Written:
    """A plate that was written, and every plane that went into it by (well, address)."""

    store: object
    layout: StoreLayout
    truth: dict

    @property
    def path(self):
        return self.store.root

    def image(self, well, site):
        """The (t, c, z, y, x) that was written."""
        image = self.layout.image
        pixels = np.zeros(image.shape, image.dtype)
        for (other, address), plane in self.truth.items():
            if (other, address.site) == (well, site):
                pixels[address.t, address.c, address.z] = plane
        return pixels


@attrs.frozen(kw_only=True)
class OnDisk:
    """What a version of OME-Zarr looks like on disk, as its specification says it: nothing of it is hcs_zarr's."""

    version: str
    array: str
    group: str
    attributes: str
    chunks: str

    def chunk(self, level, place="0/0/0/0/0"):
        """The path of a chunk of an array."""
        return level / f"{self.chunks}{place}"

    def ome(self, folder):
        """The OME metadata of a group."""
        document = json.loads((folder / self.attributes).read_text())
        if self.version == "0.4":
            assert json.loads((folder / self.group).read_text()) == {"zarr_format": 2}
            return document
        assert (document["zarr_format"], document["node_type"]) == (3, "group")
        return document["attributes"]["ome"]

    def edit(self, folder, change):
        """Change the OME metadata of a group in place."""
        ome = self.ome(folder)
        change(ome)
        whole = ome
        if self.version == "0.5":
            whole = {"attributes": {"ome": ome}, "zarr_format": 3, "node_type": "group"}
        (folder / self.attributes).write_text(json.dumps(whole))

    def groups(self, root):
        """Every group below a plate's root."""
        documents = root.rglob(self.group)
        if self.version == "0.5":
            documents = (path for path in documents if json.loads(path.read_text())["node_type"] == "group")
        return sorted(path.parent for path in documents)


DISKS = {
    "0.4": OnDisk(version="0.4", array=".zarray", group=".zgroup", attributes=".zattrs", chunks=""),
    "0.5": OnDisk(version="0.5", array="zarr.json", group="zarr.json", attributes="zarr.json", chunks="c/"),
}


def _layout(
    *,
    shape=(1, 2, 2, 70, 90),
    dtype="uint16",
    chunk=None,
    shard=None,
    codec="lz4",
    level=1,
    shuffle=True,
    plate_format=(8, 12),
    field_count=2,
    smallest=20,
    spacing=(0.65, 2.0, None),
    **switches,
):
    pixel, z_step, time_step = spacing
    return StoreLayout(
        name="images.zarr",
        plate_name="Plate 7",
        plate_format=plate_format,
        image=ImageLayout(
            shape=shape,
            dtype=dtype,
            channels=tuple(ChannelLayout(name=f"dye {c}", colour="00FF00") for c in range(shape[1])),
            pixel_size_um=pixel,
            z_step_um=z_step,
            time_step_s=time_step,
            level_shapes=level_shapes(shape[3:], smallest),
            chunk=chunk or (1, 1, 1, *shape[3:]),
            shard=shard,
        ),
        compression=Compression(codec=codec, level=level, shuffle=shuffle),
        field_count=field_count,
        **switches,
    )


def _random_plane(generator, layout):
    shape, dtype = layout.image.shape[3:], np.dtype(layout.image.dtype)
    if dtype.kind == "f":
        return generator.normal(100, 30, shape).astype(dtype)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def _addresses(layout, sites):
    return [PlaneAddress(site=s, t=t, c=c, z=z) for s, t, c, z in product(sites, *map(range, layout.image.shape[:3]))]


@pytest.fixture(params=DISKS)
def disk(request):
    """Each version of OME-Zarr in turn."""
    return DISKS[request.param]


@pytest.fixture
def make_layout(disk):
    """Make a layout of each version in turn."""
    return partial(_layout, ome_zarr_version=disk.version)


@pytest.fixture
def make_sharded():
    """Make a layout with a shard for each image's level and timepoint, unless another is given."""

    def make(**facts):
        layout = _layout(**facts)
        if "shard" in facts:
            return layout
        image = layout.image
        shard = tuple(-(-whole // part) * part for whole, part in zip(image.shape, image.chunk, strict=True))
        return attrs.evolve(layout, image=attrs.evolve(image, shard=(image.chunk[0], *shard[1:])))

    return make


@pytest.fixture
def addresses():
    """Every address of a layout for some sites, in the order in which a run writes them."""
    return _addresses


@pytest.fixture
def random_plane():
    return _random_plane


@pytest.fixture
def write_plate(tmp_path):
    """Write and finish wells of random planes."""

    def write(layout, wells=("A01",), sites=(1, 2), translations=None, folder=tmp_path):
        store = ZarrBackend().open(folder, layout)
        store.declare(dict.fromkeys(wells, sites))
        generator = np.random.default_rng(7)
        truth = {}
        for well in wells:
            images = store.open_well(well)
            for address in _addresses(layout, sites):
                truth[well, address] = _random_plane(generator, layout)
                images.write(address, truth[well, address])
            summary = images.close()
            store.finish_well(FinishedWell(well=well, sites=sites, translations=translations or {}, summary=summary))
        return Written(store=store, layout=layout, truth=truth)

    return write
