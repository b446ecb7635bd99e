"""What the metadata of a plate cost: declaring its arrays, and finishing its wells one by one, without any pixels.

    python benchmarks/metadata.py --wells 384 --sites 9
    python benchmarks/metadata.py --wells 1536 --sites 4 --ome-zarr-version 0.4

384 wells of 9 sites and 4 levels are 13,824 arrays and 3,857 groups: 17,681 nodes. Of each part the best of the runs
is said, for a disk that others use only adds to it, as do plates that were removed there in the last minutes; and
what the last tenth of the wells took against the first, for the list of wells grows with each.
"""
# ruff: noqa: T201, INP001  a benchmark prints, and is a script

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from hcs_core import ChannelLayout, Compression, FinishedWell, ImageLayout, StoreLayout, level_shapes, well_name
from hcs_zarr.backend import ZarrBackend

FORMATS = {384: (16, 24), 1536: (32, 48)}

Clock = tuple[float, float]
"""Wall and CPU seconds."""


def layout(version: str, wells: int) -> StoreLayout:
    """Return a layout of four channels and four levels."""
    image = ImageLayout(
        shape=(1, 4, 1, 2160, 2160),
        dtype="uint16",
        channels=tuple(ChannelLayout(name=f"channel {number}") for number in range(4)),
        pixel_size_um=0.65,
        level_shapes=level_shapes((2160, 2160)),
        chunk=(1, 1, 1, 2160, 2160),
    )
    return StoreLayout(
        name="p.zarr",
        plate_name="plate",
        plate_format=FORMATS[wells],
        image=image,
        compression=Compression(codec="lz4"),
        field_count=9,
        ome_zarr_version=version,
    )


def now() -> Clock:
    """Return the clocks."""
    return time.perf_counter(), time.process_time()


def since(start: Clock) -> Clock:
    """Return what has passed."""
    wall, cpu = now()
    return wall - start[0], cpu - start[1]


def measure(folder: Path, wells: int, sites: int, version: str) -> tuple[Clock, Clock, float]:
    """Return what declaring and finishing took, and the CPU time of the last tenth of wells over the first's."""
    store = ZarrBackend().open(folder, layout(version, wells))
    rows, columns = FORMATS[wells]
    names = [well_name(row, column) for row in range(rows) for column in range(columns)]
    numbers = tuple(range(1, sites + 1))
    start = now()
    store.declare(dict.fromkeys(names, numbers))
    declared = since(start)
    each = []
    begin = now()
    for name in names:
        start = now()
        store.finish_well(FinishedWell(well=name, sites=numbers, translations=dict.fromkeys(numbers, (1.0, 2.0))))
        each.append(since(start)[1])
    finished = since(begin)
    tenth = len(each) // 10
    return declared, finished, sum(each[-tenth:]) / sum(each[:tenth])


def main() -> None:
    """Print the best of several runs, each in a folder that is removed at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, default=384, choices=FORMATS)
    parser.add_argument("--sites", type=int, default=9)
    parser.add_argument("--ome-zarr-version", default="0.5")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            measure(Path(folder) / str(run), asked.wells, asked.sites, asked.ome_zarr_version)
            for run in range(asked.runs)
        ]
    arrays = asked.wells * asked.sites * 4
    groups = asked.wells * asked.sites + asked.wells + FORMATS[asked.wells][0] + 1
    declared, finished = (min(run[part] for run in runs) for part in (0, 1))
    print(f"{arrays:,} arrays declared in {declared[0]:.2f} s ({declared[1]:.2f} s CPU)")
    print(f"{groups:,} groups of {asked.wells} wells finished in {finished[0]:.2f} s ({finished[1]:.2f} s CPU)")
    print(f"together {declared[0] + finished[0]:.2f} s ({declared[1] + finished[1]:.2f} s CPU)")
    print(f"the last tenth of the wells took {min(run[2] for run in runs):.1f} times the CPU time of the first")


if __name__ == "__main__":
    main()
