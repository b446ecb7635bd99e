# A script that stands alone, no part of a package.
# ruff: noqa: INP001, T201
"""What listing a plate of a million names costs, against a bare scan and one regular expression for each name.

    python benchmarks/listing.py [images of the acquisition, by default 1000000]

A copy of the MetaXpress database is made in a temporary folder (384 wells, 9 sites, 4 channels, stacks of 35 planes
with projections, thumbnails beside the projections), and all ways take turns on it. Its files are empty, but for
those of one site, whose headers `initialize` reads. The bare scan is one os.scandir a folder; the bare regular
expression is the plugin's own, and nothing is kept of its matches. The file system's cache is warm.
"""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import tifffile

from hcs_core import PipelineOrchestrator, PluginManager, well_name
from hcs_core.plate.detection import detect
from hcs_imagexpress import plugin
from hcs_imagexpress.handler import ImageXpressHandler
from hcs_imagexpress.names import IMAGE_NAME

WELLS = [well_name(row, column) for row in range(16) for column in range(24)]
SITES, CHANNELS, Z_STEPS = range(1, 10), range(1, 5), 35
ROUNDS = 5


def folders_of(images: int) -> Iterator[tuple[str, int]]:
    """Yield each folder of an acquisition, and how many images it gets."""
    most = len(WELLS) * len(SITES) * len(CHANNELS)
    for timepoint, z_index in product(range(1, images), range(Z_STEPS + 1)):
        if images <= 0:
            return
        yield f"TimePoint_{timepoint}/" + (f"ZStep_{z_index}/" if z_index else ""), min(most, images)
        images -= most


def make(plate: Path, images: int) -> int:
    """Make the plate's files and return how many there are."""
    chance = random.Random(0)  # noqa: S311 - a GUID need not be secret here

    def name(well: str, site: int, channel: int, thumb: str = "") -> str:
        guid = str(uuid.UUID(int=chance.getrandbits(128))).upper()
        return f"Screen 7_{well}_s{site}_w{channel}{thumb}{guid}.tif"

    image = io.BytesIO()
    tifffile.imwrite(image, np.zeros((16, 16), np.uint16))
    made = 0
    for path, count in folders_of(images):
        folder = plate / "2023-02-21" / "1334" / path
        folder.mkdir(parents=True, exist_ok=True)
        for well, site, channel in list(product(WELLS, SITES, CHANNELS))[:count]:
            names = [name(well, site, channel)]
            if "ZStep" not in path:
                names.append(name(well, site, channel, "_thumb"))
            for each in names:
                file = os.open(folder / each, os.O_CREAT | os.O_WRONLY)
                if (well, site) == (WELLS[0], SITES[0]):
                    os.write(file, image.getvalue())
                os.close(file)
            made += len(names)
    return made


def scanned(root: Path) -> Iterator[str]:
    """Yield the name of every file below a folder: one os.scandir a folder."""
    folders = [os.fspath(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    yield entry.name


def scan(root: Path) -> None:
    """Scan, and keep nothing."""
    for _ in scanned(root):
        pass


def scan_and_match(root: Path) -> None:
    """Scan, and match each name with the grammar."""
    for name in scanned(root):
        IMAGE_NAME.fullmatch(name)


def main() -> None:
    """Print the medians of all ways, in seconds of CPU and of the clock."""
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    handler = ImageXpressHandler()
    plugins = PluginManager()
    plugins.register(plugin, "imagexpress")
    installed = PluginManager()
    installed.discover()

    def initialize(root: Path) -> None:
        PipelineOrchestrator(root, plugins=installed).initialize()

    ways: dict[str, Callable[[Path], object]] = {
        "bare scan": scan,
        "bare scan and regular expression": scan_and_match,
        "detection (markers, recognise)": lambda root: detect(root, plugins),
        "build_inventory": handler.build_inventory,
        "initialize": initialize,
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "plate"
        print(f"{make(root, images)} files of {images} images")
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                start = time.process_time(), time.perf_counter()
                way(root)
                spent[name].append((time.process_time() - start[0], time.perf_counter() - start[1]))
    median = {name: np.median(times, axis=0) for name, times in spent.items()}
    for name, (cpu, clock) in median.items():
        print(f"{name:34} {cpu:6.2f} s CPU, {clock:6.2f} s")
    for name in ("build_inventory", "initialize"):
        ratio = median[name][0] / median["bare scan and regular expression"][0]
        print(f"{name} takes {ratio:.2f} times the CPU of a bare scan and regular expression")


if __name__ == "__main__":
    main()
