"""CPU time of `hcs run` without steps (lz4, pyramid) against the floor, interleaved in one run.

The floor is one bare loop in one process: read each TIFF, halve it down the pyramid, encode every level with blosc
lz4, write each as a file, on one thread. Its imports are not counted; those of `hcs run`, its plan and its metadata
are. A second floor also makes the folders that the chunks of an OME-Zarr image lie in. Both run in a process of
their own whose heap keeps its size, as workers do: without that, each tile's memory is mapped and cleared anew.

Nothing is removed before all is measured: a file system such as ext4 looks for inodes that were not freed in the
last seconds, which made every new file dearer than it is for users, the more the more files there are.

    uv run python benchmarks/conversion.py --size 2160 --wells 8 --sites 9 --channels 4

With several numbers of workers, what two workers gain over one, in wall time, and what they cost, in CPU time:

    uv run python benchmarks/conversion.py --size 2160 --wells 24 --sites 4 --channels 2 --workers 1 2
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from hcs_core import PluginManager
from hcs_core.runtime.workers.worker_environment import ONE_THREAD, STEADY_HEAP
from hcs_synthetic.plate import SyntheticPlate

SMALLEST = 384
"""The side at which the pyramid of `hcs run` ends."""

CONFIG = "num_workers: {workers}\nzarr: {{compressor: lz4, compression_level: 1, shards: {shards}}}\n"


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


def floor_apart(plate: Path, target: Path, channels: int, *, nested: bool) -> float:
    """Return the CPU seconds of the bare loop, run in a process whose heap keeps its size."""
    code = "import sys, pathlib, conversion as c; p, t, n, k = sys.argv[1:]\n"
    code += "print(c.floor(pathlib.Path(p), pathlib.Path(t), int(n), nested=k == 'True'))"
    command = [sys.executable, "-c", code, str(plate), str(target), str(channels), str(nested)]
    environment = {**os.environ, **ONE_THREAD, **STEADY_HEAP, "MALLOC_TRIM_THRESHOLD_": str(2**30)}
    done = subprocess.run(
        command, env=environment, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def run(plate: Path, output: Path, files: Path, config: str) -> tuple[float, float]:
    """Return CPU and wall seconds of `hcs run`, with everything that it starts."""
    (files / "config.yaml").write_text(config)
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


def empty(folder: Path) -> None:
    """Give back the pages and blocks of a folder's files; the files stay."""
    for file in folder.rglob("*"):
        if file.is_file():
            os.truncate(file, 0)


def make_plate(folder: Path, asked: argparse.Namespace) -> Path:
    """Write a MetaXpress export of as many tiles as were asked for."""
    plugins = PluginManager()
    plugins.discover()
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
    writer = plugins.microscopes.load_target("imagexpress", plugins.microscopes.get("imagexpress").layout_writer)()
    plate: Path = writer.write(folder, description.description(), lambda _well, _site, c, _z, _t: made[c - 1])
    return plate


def measure(folder: Path, plate: Path, asked: argparse.Namespace) -> dict[str, list[tuple[float, float]]]:
    """Return (CPU, wall) seconds of every way and run; the ways take turns."""
    ways = {
        "floor": lambda target: (floor_apart(plate, target, asked.channels, nested=False), 0.0),
        "floor, in chunk folders": lambda target: (floor_apart(plate, target, asked.channels, nested=True), 0.0),
    }
    for workers in asked.workers:
        config = CONFIG.format(workers=workers, shards=asked.shards)
        ways[f"hcs run, {workers} worker{'s' * (workers > 1)}"] = partial(run, plate, files=folder, config=config)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(asked.runs):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            target = folder / f"{name.replace(' ', '_')}_{number}"
            spent[name].append(ways[name](target))
            empty(target)
    return spent


def report(spent: dict[str, list[tuple[float, float]]], tiles: int) -> None:
    """Print medians, and each way's CPU and wall time against `hcs run` with the first number of workers."""
    medians = {name: tuple(np.median(times, axis=0)) for name, times in spent.items()}
    first = next(name for name in medians if name.startswith("hcs run"))
    for name, (cpu, wall) in medians.items():
        text = f"  {name:<24}{cpu:7.2f} CPU s {cpu / tiles * 1e3:7.2f} ms a tile"
        if name.startswith("hcs run"):
            text += f"  {wall:6.2f} s wall"
        if name.startswith("floor"):
            text += f"  {cpu / medians[first][0]:5.0%} of hcs run"
        elif name != first:
            text += f"  {medians[first][1] / wall:.2f} times as fast, {cpu / medians[first][0]:.2f} times the CPU"
        print(text, np.round([seconds for seconds, _ in spent[name]], 2).tolist())


def main() -> None:
    """Make the plate, time all ways in turn, print medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2160, help="rows and columns of a tile")
    parser.add_argument("--wells", type=int, default=8)
    parser.add_argument("--sites", type=int, default=9)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1], help="numbers of workers to compare")
    parser.add_argument("--shards", default="none", help="a file for each chunk (none), or for each image (image)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hcs-benchmark-") as place:
        folder = Path(place)
        plate = make_plate(folder, asked)
        (folder / "convert.yaml").write_text("hcs: 1\nname: convert\nsteps: []\n")
        spent = measure(folder, plate, asked)
        tiles = asked.wells * asked.sites * asked.channels
        megabytes = tiles * asked.size**2 * 2 / 1e6
        print(
            f"{tiles} tiles of {asked.size} x {asked.size} uint16 ({megabytes:.0f} MB), medians of {asked.runs} runs"
        )
        report(spent, tiles)


if __name__ == "__main__":
    main()
