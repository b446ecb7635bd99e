"""Layouts and stores to test with; what is written is random, and known to the test."""

from __future__ import annotations

from itertools import product

import attrs
import numpy as np
import pytest

from hcs_core import ChannelLayout, Compression, FinishedWell, ImageLayout, PlaneAddress, StoreLayout
from hcs_disk.backend import DiskBackend


@attrs.frozen(kw_only=True)
class Written:
    """A store that was written, and every plane that went into it by (well, address)."""

    store: object
    layout: StoreLayout
    truth: dict

    def file(self, well, address):
        """The only file of a plane, found by what its name must say."""
        numbers = f"s{address.site:03d}_w{address.c + 1:02d}_z{address.z + 1:03d}_t{address.t + 1:03d}"
        return self.store.root / well / f"{well}_{numbers}.ome.tif"


def _layout(
    *,
    shape=(1, 2, 2, 70, 90),
    dtype="uint16",
    codec="zstd",
    level=1,
    spacing=(0.65, 2.0, None),
    plate_name="Plate 7",
    names=("DAPI", "GFP"),
    colours=("0000FF", "00FF00"),
    **switches,
):
    pixel, z_step, time_step = spacing
    return StoreLayout(
        name="images",
        plate_name=plate_name,
        plate_format=(8, 12),
        image=ImageLayout(
            shape=shape,
            dtype=dtype,
            channels=tuple(
                ChannelLayout(name=name, colour=colour) for name, colour in zip(names, colours, strict=True)
            ),
            pixel_size_um=pixel,
            z_step_um=z_step,
            time_step_s=time_step,
            level_shapes=(shape[3:],),
            chunk=(1, 1, 1, *shape[3:]),
        ),
        compression=Compression(codec=codec, level=level),
        field_count=2,
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


@pytest.fixture
def make_layout():
    return _layout


@pytest.fixture
def random_plane():
    return _random_plane


@pytest.fixture
def write_store(tmp_path):
    """Write and finish wells of random planes."""

    def write(layout, wells=("A01",), sites=(1, 2), translations=None, folder=tmp_path):
        store = DiskBackend().open(folder, layout)
        store.declare(dict.fromkeys(wells, sites))
        generator = np.random.default_rng(7)
        truth = {}
        for well in wells:
            images = store.open_well(well)
            for site, t, c, z in product(sites, *map(range, layout.image.shape[:3])):
                address = PlaneAddress(site=site, t=t, c=c, z=z)
                truth[well, address] = _random_plane(generator, layout)
                images.write(address, truth[well, address])
            summary = images.close()
            store.finish_well(FinishedWell(well=well, sites=sites, translations=translations or {}, summary=summary))
        return Written(store=store, layout=layout, truth=truth)

    return write
