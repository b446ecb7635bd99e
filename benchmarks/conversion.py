"""CPU time of `hcs run` without steps (lz4, pyramid) against the floor, interleaved in one run.

The floor is one bare loop in one process: read each TIFF, halve it down the pyramid, encode every level with blosc
lz4, write each as a file, on one thread. Its imports are not counted; those of `hcs run`, its plan and its metadata
are. A second floor also makes the folders that the chunks of an OME-Zarr image lie in.

    uv run python benchmarks/conversion.py --size 2160 --wells 8 --sites 9 --channels 4
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from hcs_core import PluginManager
from hcs_synthetic.plate import SyntheticPlate

SMALLEST = 384
"""The side at which the pyramid of `hcs run` ends."""

CONFIG = "num_workers: 1\nzarr: {compressor: lz4, compression_level: 1}\n"


def floor(plate: Path, target: Path, channels: int, *, nested: bool) -> float:
    """Return the CPU seconds of the bare loop; `nested` makes the folders that chunks of OME-Zarr lie in."""
    import cv2
    import numcodecs
    import tifffile

    cv2.setNumThreads(1)
    numcodecs.blosc.use_threads = False
    codec = numcodecs.Blosc(cname="lz4", clevel=1, shuffle=numcodecs.Blosc.SHUFFLE)
    files = sorted(plate.rglob("*.TIF"))
    target.mkdir()
    started = time.process_time()
    for number, file in enumerate(files):
        with tifffile.TiffFile(file) as tiff:
            level = tiff.pages[0].asarray()
        index = 0
        while True:
            path = target / f"{number}_{index}"
            if nested:
                path = target / f"{number // channels}/{index}/c/0/{number % channels}/0/0/0"
                path.parent.mkdir(parents=True)
            path.write_bytes(codec.encode(level))
            if max(level.shape) <= SMALLEST:
                break
            level = cv2.resize(level, (level.shape[1] // 2, level.shape[0] // 2), interpolation=cv2.INTER_AREA)
            index += 1
    return time.process_time() - started


def run(plate: Path, output: Path, files: Path) -> tuple[float, float]:
    """Return CPU and wall seconds of `hcs run`, with everything that it starts."""
    command = [sys.executable, "-m", "hcs_core", "run", str(plate), str(files / "convert.yaml"), "-q"]
    command += ["-o", str(output), "--config", str(files / "config.yaml")]
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("hcs run failed")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started


def wells(count: int) -> tuple[str, ...]:
    """Return the names of the first wells of a plate of 384."""
    return tuple(f"{chr(65 + index // 24)}{index % 24 + 1:02d}" for index in range(count))


def main() -> None:
    """Make the plate, time both in turn, print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2160, help="rows and columns of a tile")
    parser.add_argument("--wells", type=int, default=8)
    parser.add_argument("--sites", type=int, default=9)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    plugins = PluginManager()
    plugins.discover()
    with tempfile.TemporaryDirectory(prefix="hcs-benchmark-") as place:
        folder = Path(place)
        description = SyntheticPlate(
            name="tiles",
            wells=wells(asked.wells),
            grid=(1, asked.sites),
            image_shape=(asked.size, asked.size),
            channels=tuple(f"C{index + 1}" for index in range(asked.channels)),
            cells_per_field=60,
        )
        # One site's pixels stand for all: what is timed does not depend on what they show.
        made = [description.image(wells(1)[0], 1, channel + 1, 1, 1) for channel in range(asked.channels)]
        writer = plugins.microscopes.load_target(
            "imagexpress", plugins.microscopes.get("imagexpress").layout_writer
        )()
        plate = writer.write(folder, description.description(), lambda _well, _site, c, _z, _t: made[c - 1])
        (folder / "convert.yaml").write_text("hcs: 1\nname: convert\nsteps: []\n")
        (folder / "config.yaml").write_text(CONFIG)
        bare, placed, cpus, walls = [], [], [], []
        for _ in range(asked.runs):
            bare.append(floor(plate, folder / "floor", asked.channels, nested=False))
            placed.append(floor(plate, folder / "placed", asked.channels, nested=True))
            cpu, wall = run(plate, folder / "out", folder)
            cpus.append(cpu)
            walls.append(wall)
            for name in ("floor", "placed", "out"):
                shutil.rmtree(folder / name)
        tiles = asked.wells * asked.sites * asked.channels
        megabytes = tiles * made[0].nbytes / 1e6
        print(f"{tiles} tiles of {asked.size} x {asked.size} {made[0].dtype} ({megabytes:.0f} MB), {asked.runs} runs")
        whole = statistics.median(cpus)
        for name, times in (("floor", bare), ("floor, in chunk folders", placed), ("hcs run", cpus)):
            median = statistics.median(times)
            share = (
                f"{median / whole:5.0%} of hcs run" if times is not cpus else f"{statistics.median(walls):.2f} s wall"
            )
            each = np.round(times, 2).tolist()
            print(f"  {name:<24}{median:7.2f} CPU s {median / tiles * 1e3:7.2f} ms a tile  {share}  {each}")


if __name__ == "__main__":
    main()
