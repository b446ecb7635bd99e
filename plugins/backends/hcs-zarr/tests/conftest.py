"""Layouts and plates to test with; what is written is random, and known to the test."""

from __future__ import annotations

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


def _layout(
    *,
    shape=(1, 2, 2, 70, 90),
    dtype="uint16",
    chunk=None,
    codec="lz4",
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
        ),
        compression=Compression(codec=codec, level=1, shuffle=shuffle),
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


@pytest.fixture
def make_layout():
    return _layout


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
