"""What writing a tile with its pyramid costs, against the least that any program could need.

    python benchmarks/tile.py [codec]

The floor packs the levels (computed beforehand) with numcodecs and writes them as files. All ways take turns, so that
a change of the machine's load meets them alike.
"""
# ruff: noqa: T201, INP001  a benchmark prints, and is a script

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zarr
from numcodecs.blosc import Blosc  # type: ignore[import-untyped]  # it publishes no types

from hcs_core import (
    ChannelLayout,
    Compression,
    ImageLayout,
    PlaneAddress,
    StoreLayout,
    WellStore,
    level_shapes,
)
from hcs_zarr.backend import ZarrBackend
from hcs_zarr.pyramid import half

Levels = list[npt.NDArray[np.uint16]]

TILES = 60
SIDE = 2160


def tile() -> npt.NDArray[np.uint16]:
    """Return a tile that packs like those of a microscope: smooth structures, and noise."""
    generator = np.random.default_rng(0)
    smooth = cv2.GaussianBlur(generator.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 8)
    noisy = 300 + 60 * smooth / smooth.std() + generator.normal(0, 12, smooth.shape)
    pixels: npt.NDArray[np.uint16] = noisy.clip(0, 65535).astype(np.uint16)
    return pixels


def layout(codec: str, planes: int, side: int) -> StoreLayout:
    """Return a layout of one channel with `planes` along z."""
    image = ImageLayout(
        shape=(1, 1, planes, side, side),
        dtype="uint16",
        channels=(ChannelLayout(name="DAPI"),),
        level_shapes=level_shapes((side, side)),
        chunk=(1, 1, 1, side, side),
    )
    compression = Compression(codec=codec, level=1)
    return StoreLayout(
        name="p.zarr", plate_name="p", plate_format=(16, 24), image=image, compression=compression, field_count=9
    )


def floor(levels: Levels, folder: Path, pack: Callable[[Any], bytes], z: int) -> None:
    """Pack and write levels that are there already."""
    for number, level in enumerate(levels):
        path = folder / f"{number}/c/0/0/{z}/0/0"
        path.parent.mkdir(parents=True)
        path.write_bytes(pack(level))


def pyramid(levels: Levels, _: int) -> None:
    """Make the levels."""
    level = levels[0]
    for _step in levels[1:]:
        level = half(level)


def plain_zarr(levels: Levels, arrays: list[zarr.Array[Any]], z: int) -> None:
    """Write levels that are there already through zarr's own arrays."""
    for array, level in zip(arrays, levels, strict=True):
        array[0, 0, z] = level


def hcs_zarr(levels: Levels, well: WellStore, z: int) -> None:
    """Make and write the levels as this backend does."""
    well.write(PlaneAddress(site=1, t=0, c=0, z=z), levels[0])


def measure_tile(folder: Path, codec: str) -> None:
    """Print the CPU time of a tile in each way."""
    levels = [tile()]
    for _ in level_shapes((SIDE, SIDE))[1:]:
        levels.append(half(levels[-1]))
    ours, plain = (ZarrBackend().open(folder / name, layout(codec, TILES, SIDE)) for name in ("ours", "plain"))
    for store in (ours, plain):
        store.declare({"A01": (1,)})
    opened = [zarr.open_array(plain.root / "A/01/0" / str(i), mode="r+") for i in range(len(levels))]
    arrays = [array.with_config({"write_empty_chunks": True}) for array in opened]
    pack = Blosc(cname=codec, clevel=1, shuffle=Blosc.SHUFFLE).encode
    ways: list[tuple[str, Callable[[int], None]]] = [
        ("floor", partial(floor, levels, folder / "floor", pack)),
        ("pyramid", partial(pyramid, levels)),
        ("plain zarr", partial(plain_zarr, levels, arrays)),
        ("hcs_zarr", partial(hcs_zarr, levels, ours.open_well("A01"))),
    ]
    spent: dict[str, list[float]] = {name: [] for name, _ in ways}
    for z in range(TILES):
        for name, way in ways[z % 4 :] + ways[: z % 4]:
            start = time.process_time()
            way(z)
            spent[name].append(1000 * (time.process_time() - start))
    median = {name: float(np.median(times)) for name, times in spent.items()}
    for name, value in median.items():
        print(f"{name:12} {value:6.2f} ms CPU a tile")
    least = median["floor"] + median["pyramid"]
    print(f"hcs_zarr is {median['hcs_zarr'] / least:.2f} times floor and pyramid, ", end="")
    print(f"plain zarr (without a pyramid) {median['plain zarr'] / median['floor']:.2f} times the floor")


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        measure_tile(Path(folder), sys.argv[1] if len(sys.argv) > 1 else "lz4")


if __name__ == "__main__":
    main()
