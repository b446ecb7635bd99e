"""What compiling costs: plates of 96, 1,536 and 15,360 wells that are alike, made in memory, without a file.

    uv run python benchmarks/compiling.py

Each plate has 9 sites, 4 channels and 2 z; of the pipeline's four steps one is a function of the benchmark's own.
`listed` is what `initialize` finds out of the inventory, its digest and which wells are alike; it stays with it.
`first compile` is the first one then, `half is there` one where half of the wells are in the output.
`contexts` makes the contexts of all wells and `checked` checks them, `tasks` makes what goes to workers, `planes.csv`
looks for absent planes. The size is that of the pickled plan, for each well, and for each further well.

A plate of 15,360 wells does not exist: its rows go to `DN`, to show how the time grows.
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from hcs_core import (
    GlobalPipelineConfig,
    Pipeline,
    Plate,
    PluginManager,
    Step,
    compile_plan,
    step_function,
    well_name,
)
from hcs_core.compiler.machine import Existing, Machine
from hcs_core.plate.inventory import Channel
from hcs_core.plate.plane_table import PlaneTable
from hcs_core.runtime.compiled_contexts import given_plan
from hcs_core.runtime.context import ProcessingContext
from hcs_core.runtime.planes_table import absent_rows
from hcs_core.runtime.services.plate_services import ServicesRecipe
from hcs_core.runtime.services.services_of_plate import ServicesOfPlate
from hcs_core.runtime.well_tasks import well_tasks

SITES, CHANNELS, SLICES = 9, ("DAPI", "GFP", "RFP", "Cy5"), 2
COLUMNS = 48


@step_function()
def subtract(image: npt.NDArray[np.uint16], *, offset: int = 100) -> npt.NDArray[np.uint16]:
    """Subtract the camera's offset."""
    return image - np.minimum(image, offset).astype(image.dtype)


STEPS = (
    Step(subtract),
    Step("white_tophat", radius=25),
    Step("gaussian_blur", sigma=2.0),
    Step("max_projection"),
)
PIPELINE = Pipeline("benchmark", STEPS)


def plate_of(wells: int) -> Plate:
    """Return the inventory of a plate that has every plane of so many wells."""
    each = SITES * len(CHANNELS) * SLICES
    rows = -(-wells // COLUMNS)
    names = tuple(well_name(index // COLUMNS, index % COLUMNS) for index in range(wells))
    site, channel, z_index = (axis.ravel() for axis in np.indices((SITES, len(CHANNELS), SLICES)) + 1)
    planes = PlaneTable.build(
        wells=names,
        well=np.repeat(np.arange(wells), each),
        site=np.tile(site, wells),
        channel=np.tile(channel, wells),
        z_index=np.tile(z_index, wells),
        timepoint=np.ones(wells * each, np.int32),
        uri=[
            f"TimePoint_1/ZStep_{z}/plate_{name}_s{s}_w{c}.TIF"
            for name in names
            for s, c, z in zip(site.tolist(), channel.tolist(), z_index.tolist(), strict=True)
        ],
        reader="tiff",
    )
    return Plate(
        name="plate",
        root=Path("plate"),
        microscope="imagexpress",
        plate_format=(rows, COLUMNS),
        channels=tuple(Channel(number=number, name=name) for number, name in enumerate(CHANNELS, 1)),
        planes=planes,
        pixel_size_um=0.65,
        z_step_um=2.0,
        image_shape=(1080, 1080),
        dtype="uint16",
    )


def seconds(work: Callable[[], object], runs: int) -> float:
    """Return the median seconds of some work."""
    spent = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return median(spent)


def measure(wells: int, plugins: PluginManager, runs: int) -> dict[str, float]:
    """Return the seconds of each part for a plate of so many wells, and the bytes of its plan."""
    plate, config, machine = plate_of(wells), GlobalPipelineConfig(num_workers=2), Machine(cores=2)
    started = time.perf_counter()
    plate.planes.identify()
    listed = time.perf_counter() - started
    started = time.perf_counter()
    plan = compile_plan(PIPELINE, plate, config, plugins, machine)
    first = time.perf_counter() - started
    whole = Existing(content_key=plan.content_key, wells=frozenset(plan.well_names[::2]))

    recipe = ServicesRecipe(
        plate_root=plate.root, microscope=plate.microscope, plugins=plugins.recipe(), output=Path("output")
    )
    services = ServicesOfPlate(recipe, plugins=plugins, plate=plate)

    def contexts() -> dict[str, ProcessingContext]:
        return {
            well: ProcessingContext(
                well=well,
                sites=plan.well_shapes[shape].sites,
                plan=plan,
                orchestrator=services,
                pipelines=(PIPELINE,),
            )
            for well, shape in plan.wells
        }

    made = contexts()
    return {
        "listed": listed,
        "first compile": first,
        "compile_plan": seconds(lambda: compile_plan(PIPELINE, plate, config, plugins, machine), runs),
        "half is there": seconds(lambda: compile_plan(PIPELINE, plate, config, plugins, machine, whole), runs),
        "contexts": seconds(contexts, runs),
        "checked": seconds(lambda: given_plan(made, (PIPELINE,), plate, plugins), runs),
        "tasks": seconds(lambda: well_tasks(plan, plate), runs),
        "digest": seconds(lambda: plan.digest, runs),
        "to json": seconds(plan.to_json, runs),
        "planes.csv": seconds(lambda: absent_rows(plan, plate, {}), runs),
        "bytes": float(len(pickle.dumps(plan))),
    }


def main() -> None:
    """Print a row for each plate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wells", type=int, nargs="+", default=[96, 1536, 15360])
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    plugins = PluginManager()
    plugins.discover()
    measure(1, plugins, 1)  # What is loaded on first use is no part of any figure.
    found = {wells: measure(wells, plugins, asked.runs) for wells in asked.wells}
    names = [name for name in next(iter(found.values())) if name != "bytes"]
    print(f"{'wells':>6}" + "".join(f"{name:>15}" for name in names) + f"{'bytes a well':>15}{'a further well':>16}")
    least = found[asked.wells[0]]["bytes"]
    for wells, row in found.items():
        further = (row["bytes"] - least) / max(1, wells - asked.wells[0])
        times = "".join(f"{row[name] * 1e3:>12.1f} ms" for name in names)
        print(f"{wells:>6}{times}{row['bytes'] / wells:>15.1f}{further:>16.1f}")
    first, *others = found
    for wells in others:
        ratios = [found[wells][name] / found[first][name] for name in ("first compile", "compile_plan")]
        print(f"{wells} wells: {ratios[0]:.1f} times the first compile of {first}, {ratios[1]:.1f} times a later one")


if __name__ == "__main__":
    main()
