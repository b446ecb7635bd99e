"""What the engine itself costs for each well: 1,536 wells of one tiny plane and a step that returns its input.

    uv run python benchmarks/engine.py --wells 1536 --workers 2

What is timed is `execute_compiled_plate`, from start to end: declaring the store (its folders and documents),
starting workers (a run of one well tells how long that takes), handing out wells, reading a TIFF, calling the step,
writing a chunk, the metadata of image, well and plate, the journal, events, and the tables and JSON at the end.
`initialize` and `compile_pipelines`, which reads a header for each site, are timed apart. CPU seconds are those of
this process and its workers. Nothing is removed between runs: a file system such as ext4 makes new files dearer for
minutes after others were removed; `--folder /dev/shm` leaves the disk out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hcs_core import GlobalPipelineConfig, PipelineOrchestrator, PluginManager, Step, step_function, well_name
from hcs_synthetic.plate import SyntheticPlate

COLUMNS = 48


@step_function()
def nothing(image: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return the image."""
    return image


STEPS = [Step(nothing)]


def make_plate(folder: Path, wells: int, side: int) -> Path:
    """Write a MetaXpress export of one small plane a well."""
    plugins = PluginManager()
    plugins.discover()
    description = SyntheticPlate(
        name="tiny",
        wells=tuple(well_name(index // COLUMNS, index % COLUMNS) for index in range(wells)),
        grid=(1, 1),
        image_shape=(side, side),
        channels=("DAPI",),
    )
    plane = np.arange(side * side, dtype=np.uint16).reshape(side, side)
    writer = plugins.microscopes.load_target("imagexpress", plugins.microscopes.get("imagexpress").layout_writer)()
    plate: Path = writer.write(folder, description.description(), lambda *_: plane)
    return plate


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, and of those that it started and that have ended."""
    return sum(os.times()[:4])


def run(plate: Path, output: Path, config: GlobalPipelineConfig, wells: int | None) -> tuple[float, ...]:
    """Return the seconds of initializing, compiling and executing so many wells, by default all, and CPU seconds."""
    moments = [time.perf_counter()]
    orchestrator = PipelineOrchestrator(plate, global_config=config, output=output)
    orchestrator.initialize()
    moments.append(time.perf_counter())
    contexts = orchestrator.compile_pipelines(STEPS, well_filter=wells)
    moments.append(time.perf_counter())
    before = cpu_seconds()
    result = orchestrator.execute_compiled_plate(STEPS, contexts)
    used = cpu_seconds() - before
    moments.append(time.perf_counter())
    if result.status != "ok":
        raise SystemExit(result.failed[0].fault)
    return *np.diff(moments).tolist(), used


def main() -> None:
    """Print the medians of each way of running."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, default=1536)
    parser.add_argument("--side", type=int, default=16, help="rows and columns of a plane")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ways", nargs="+", default=["processes", "threads", "here"])
    parser.add_argument("--folder", help="where the plate and the results lie, by default a temporary folder")
    asked = parser.parse_args()
    configs = {
        "processes": GlobalPipelineConfig(num_workers=asked.workers, use_threading=False),
        "threads": GlobalPipelineConfig(num_workers=asked.workers, use_threading=True),
        "here": GlobalPipelineConfig(num_workers=1),
    }
    with tempfile.TemporaryDirectory(prefix="hcs-benchmark-", dir=asked.folder) as place:
        folder = Path(place)
        plate = make_plate(folder, asked.wells, asked.side)
        for number in range(asked.runs):
            spent = {way: run(plate, folder / f"{way}_{number}", configs[way], None) for way in asked.ways}
            starts = {way: run(plate, folder / f"{way}_{number}_start", configs[way], 1)[2] for way in asked.ways}
            for way, (listing, compiling, executing, used) in spent.items():
                each, cpu = executing / asked.wells * 1e3, used / asked.wells * 1e3
                print(
                    f"{way:<10}{each:6.2f} ms a well, {cpu:5.2f} ms of CPU ({executing:.2f} s for {asked.wells}, "
                    f"{starts[way]:.2f} s for one); initialize {listing:.2f} s, compile {compiling:.2f} s"
                )


if __name__ == "__main__":
    main()
