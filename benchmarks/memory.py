"""Peak memory of a worker beside its imports, against the largest input that a kernel needs at once.

The imports are measured with the same pipeline on images of 64 x 64 pixels: what a worker of the real size needs
more is its pixels. Few and many wells must need the same.

    uv run python benchmarks/memory.py --size 2160 --wells 4 96
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from hcs_core import PluginManager
from hcs_synthetic.plate import SyntheticPlate

PIPELINES = {
    "conversion": ("", 1),
    "gaussian_blur": ("  - gaussian_blur: {sigma: 2}\n", 1),
    "percentile_normalize": ("  - percentile_normalize\n", 1),
    "white_tophat": ("  - white_tophat: {radius: 25}\n", 1),
    "max_projection": ("  - max_projection\n", 5),
    "composite": ("  - composite\n", 1),
}
"""Steps, and how many z-planes the plate has."""

CHANNELS = 2


def make(folder: Path, plugins: PluginManager, size: int, wells: int, z_count: int) -> Path:
    """Write a plate whose pixels are those of one site; return its folder."""
    description = SyntheticPlate(
        name=f"plate_{size}_{wells}_{z_count}",
        wells=tuple(f"{chr(65 + index // 24)}{index % 24 + 1:02d}" for index in range(wells)),
        grid=(1, 1),
        image_shape=(size, size),
        channels=tuple(f"C{index + 1}" for index in range(CHANNELS)),
        z_count=z_count,
    )
    plane = description.image("A01", 1, 1, 1, 1)
    writer = plugins.microscopes.load_target("imagexpress", plugins.microscopes.get("imagexpress").layout_writer)()
    written: Path = writer.write(folder, description.description(), lambda *_: plane)
    return written


def peak(plate: Path, folder: Path, steps: str) -> int:
    """Return the largest peak memory of a worker of a run with one worker process."""
    pipeline = folder / "pipeline.yaml"
    pipeline.write_text(f"hcs: 1\nname: memory\nsteps:\n{steps or '  []'}\n")
    command = [sys.executable, "-m", "hcs_core", "run", plate, pipeline, "--workers", "1", "--processes", "--json"]
    with tempfile.TemporaryDirectory(dir=folder) as output:
        command += ["-o", Path(output) / "out"]
        out = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
    return max(well["peak_memory_bytes"] for well in json.loads(out)["wells"].values())


def main() -> None:
    """Print a row for each pipeline and number of wells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2160, help="rows and columns of a plane")
    parser.add_argument("--wells", type=int, nargs="+", default=[4, 96])
    parser.add_argument("--pipelines", nargs="+", default=list(PIPELINES), choices=list(PIPELINES))
    asked = parser.parse_args()
    plugins = PluginManager()
    plugins.discover()
    print(f"{'pipeline':<22}{'wells':>6}{'imports MB':>12}{'peak MB':>10}{'input MB':>10}{'ratio':>8}")
    for name in asked.pipelines:
        steps, z_count = PIPELINES[name]
        planes = {"max_projection": z_count, "composite": CHANNELS}.get(name, 1)
        largest = asked.size**2 * 2 * planes
        with tempfile.TemporaryDirectory(prefix="hcs-benchmark-") as place:
            folder = Path(place)
            imports = peak(make(folder, plugins, 64, 2, z_count), folder, steps)
            for wells in asked.wells:
                most = peak(make(folder, plugins, asked.size, wells, z_count), folder, steps)
                ratio = (most - imports) / largest
                row = f"{imports / 1e6:>12.1f}{most / 1e6:>10.1f}{largest / 1e6:>10.1f}{ratio:>8.2f}"
                print(f"{name:<22}{wells:>6}{row}")


if __name__ == "__main__":
    main()
