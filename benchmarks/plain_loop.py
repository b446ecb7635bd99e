"""The engine with one worker in the calling process, against a plain loop over the same kernels, in turn.

    uv run python benchmarks/plain_loop.py --size 2160 --wells 6 --sites 4 --channels 2 --slices 3

The loop is what one would write by hand for just this plate: for each stack, each TIFF is read with tifffile and
given to the same kernel functions; the result is halved down a pyramid as `hcs-zarr` does it, and every level is
encoded with numcodecs and written into the folders in which the chunks of an OME-Zarr image lie. It writes no
metadata, keeps no journal, checks nothing and reads nothing ahead. With `--zarr` a second loop writes through
zarr-python instead (arrays made by `zarr.create_array`, `write_empty_chunks`).

Both keep to one thread for each library, in one process, whose imports and first run are not counted. What is timed
of the engine is all three phases. Wall and CPU seconds are printed: the engine reads ahead in a second thread, which
makes it faster than the loop where a core is free, and not in CPU time. `--folder /dev/shm` leaves the disk out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from hcs_core.runtime.workers.worker_environment import ONE_THREAD

os.environ.update(ONE_THREAD)  # Before the libraries are imported: they look at it then.

import cv2
import numcodecs
import numpy as np
import numpy.typing as npt
import tifffile

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginManager, Step, ZarrConfig, well_name
from hcs_core.storage.layout import level_shapes
from hcs_numpy.filters import gaussian_blur
from hcs_numpy.morphology import white_tophat
from hcs_operations.portable.projections import max_projection
from hcs_synthetic.plate import SyntheticPlate
from hcs_zarr.pyramid import half

Image = npt.NDArray[Any]

PIPELINES: dict[str, tuple[list[Step], Callable[[list[Image]], Image]]] = {
    "project": ([Step("max_projection")], lambda stack: max_projection(np.stack(stack))),
    "blur and project": (
        [Step("gaussian_blur", sigma=2.0), Step("max_projection")],
        lambda stack: max_projection(np.stack([gaussian_blur(plane, sigma=2.0) for plane in stack])),
    ),
    "project, blur, top-hat": (
        [Step("max_projection"), Step("gaussian_blur", sigma=1.0), Step("white_tophat", radius=25)],
        lambda stack: white_tophat(gaussian_blur(max_projection(np.stack(stack)), sigma=1.0), radius=25),
    ),
}
"""Steps, and the same on a stack of planes by hand."""


def make_plate(folder: Path, asked: argparse.Namespace) -> Path:
    """Write a MetaXpress export; one site's pixels stand for all."""
    plugins = PluginManager()
    plugins.discover()
    description = SyntheticPlate(
        name="stacks",
        wells=tuple(well_name(index // 12, index % 12) for index in range(asked.wells)),
        grid=(1, asked.sites),
        image_shape=(asked.size, asked.size),
        channels=tuple(f"C{index + 1}" for index in range(asked.channels)),
        z_count=asked.slices,
        cells_per_field=60,
    )
    planes = {
        (c, z): description.image("A01", 1, c, z, 1)
        for c, z in product(range(1, asked.channels + 1), range(1, asked.slices + 1))
    }
    writer = plugins.microscopes.load_target("imagexpress", plugins.microscopes.get("imagexpress").layout_writer)()
    plate: Path = writer.write(folder, description.description(), lambda _w, _s, c, z, _t: planes[c, z])
    return plate


def places(asked: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    """Yield every well, site and channel."""
    names = [well_name(index // 12, index % 12) for index in range(asked.wells)]
    yield from product(names, range(1, asked.sites + 1), range(1, asked.channels + 1))


def stack_of(plate: Path, asked: argparse.Namespace, well: str, site: int, channel: int) -> list[Image]:
    """Read the planes of a stack."""
    planes = []
    for z in range(1, asked.slices + 1):
        site_part = f"_s{site}" if asked.sites > 1 else ""
        channel_part = f"_w{channel}" if asked.channels > 1 else ""
        folder = plate / "TimePoint_1" / (f"ZStep_{z}" if asked.slices > 1 else "")
        with tifffile.TiffFile(folder / f"{plate.name}_{well}{site_part}{channel_part}.TIF") as tiff:
            planes.append(tiff.pages[0].asarray())
    return planes


def by_hand(plate: Path, output: Path, asked: argparse.Namespace, work: Callable[[list[Image]], Image]) -> None:
    """Read, compute and write chunk files."""
    codec = numcodecs.Blosc(cname="lz4", clevel=1, shuffle=numcodecs.Blosc.SHUFFLE)
    for well, site, channel in places(asked):
        level = work(stack_of(plate, asked, well, site, channel))
        for number in range(len(level_shapes(level.shape))):
            level = half(level) if number else level
            folder = output / well[0] / well[1:] / str(site - 1) / str(number) / "c/0" / str(channel - 1) / "0/0"
            folder.mkdir(parents=True)
            (folder / "0").write_bytes(codec.encode(level))


def through_zarr(plate: Path, output: Path, asked: argparse.Namespace, work: Callable[[list[Image]], Image]) -> None:
    """Read, compute and write through zarr-python."""
    import zarr

    codec = zarr.codecs.BloscCodec(cname="lz4", clevel=1, shuffle="shuffle")
    arrays: list[zarr.Array[Any]] = []
    for well, site, channel in places(asked):
        level = work(stack_of(plate, asked, well, site, channel))
        if channel == 1:
            arrays = [
                zarr.create_array(
                    output / well[0] / well[1:] / str(site - 1) / str(number),
                    shape=(1, asked.channels, 1, *shape),
                    chunks=(1, 1, 1, *shape),
                    dtype=level.dtype,
                    compressors=codec,
                    config={"write_empty_chunks": True},
                )
                for number, shape in enumerate(level_shapes(level.shape))
            ]
        for number, array in enumerate(arrays):
            level = half(level) if number else level
            array[0, channel - 1, 0] = level


def engine(plate: Path, output: Path, steps: list[Step]) -> None:
    """Run all three phases."""
    config = GlobalPipelineConfig(num_workers=1, zarr=ZarrConfig(compressor="lz4"))
    result = PipelineOrchestrator(plate, global_config=config, output=output).run([Pipeline("benchmark", steps)])
    if result.status != "ok":
        raise SystemExit(str(result.failed[0].fault))


def measure(folder: Path, plate: Path, asked: argparse.Namespace, name: str) -> dict[str, list[tuple[float, float]]]:
    """Return (wall, CPU) seconds of every way and run; the ways take turns, and the first of each is not counted."""
    steps, work = PIPELINES[name]
    ways: dict[str, Callable[[Path], None]] = {
        "loop": lambda output: by_hand(plate, output, asked, work),
        "engine": partial(engine, plate, steps=steps),
    }
    if asked.zarr:
        ways["loop through zarr"] = lambda output: through_zarr(plate, output, asked, work)
    spent: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    order = list(ways)
    for number in range(asked.runs + 1):
        for way in order if number % 2 else reversed(order):
            started = time.perf_counter(), time.process_time()
            ways[way](folder / f"{name}_{way}_{number}".replace(" ", "_"))
            spent[way].append((time.perf_counter() - started[0], time.process_time() - started[1]))
    return {way: times[1:] for way, times in spent.items()}


def main() -> None:
    """Print a table for each pipeline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2160, help="rows and columns of a plane")
    for word, number in (("wells", 6), ("sites", 4), ("channels", 2), ("slices", 3), ("runs", 5)):
        parser.add_argument(f"--{word}", type=int, default=number)
    parser.add_argument("--pipelines", nargs="+", default=list(PIPELINES), choices=list(PIPELINES))
    parser.add_argument("--zarr", action="store_true", help="a second loop that writes through zarr-python")
    parser.add_argument("--folder", help="where the plate and the results lie, by default a temporary folder")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    numcodecs.blosc.use_threads = False
    with tempfile.TemporaryDirectory(prefix="hcs-benchmark-", dir=asked.folder) as place:
        folder = Path(place)
        plate = make_plate(folder, asked)
        for name in asked.pipelines:
            spent = measure(folder, plate, asked, name)
            print(f"{name}: {asked.wells * asked.sites * asked.channels} stacks of {asked.slices}")
            wall, cpu = (median(times) for times in zip(*spent["loop"], strict=True))
            for way, times in spent.items():
                own_wall, own_cpu = (median(column) for column in zip(*times, strict=True))
                pairs = [mine[0] / loop[0] for mine, loop in zip(times, spent["loop"], strict=True)]
                print(
                    f"  {way:<18}{own_wall:7.2f} s wall ({own_wall / wall:.2f}, pairs {min(pairs):.2f} to "
                    f"{max(pairs):.2f}){own_cpu:7.2f} s CPU ({own_cpu / cpu:.2f})"
                )


if __name__ == "__main__":
    main()
