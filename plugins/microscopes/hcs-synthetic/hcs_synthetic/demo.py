"""`hcs demo`: a small plate in a vendor's layout, its picture, a standard pipeline's results, and where they are."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
from pathlib import Path
from typing import Any

import attrs
import click

from hcs_core import PlateError, PluginManager, draw_plate, open_plate
from hcs_synthetic.making import make_plate
from hcs_synthetic.plate import SyntheticPlate

PLATE = SyntheticPlate(
    name="demo_plate",
    wells=("B02", "B03", "G10", "G11"),
    grid=(2, 2),
    image_shape=(256, 256),
    channels=("DAPI", "GFP"),
    z_count=3,
    cells_per_field=22,
    stage_error_px=2.0,
    seed=7,
)
"""The demonstration's plate: 96 images of 128 KiB, in a few wells of a 96-well plate."""

RECORD = "demo_plate.json"
PIPELINE = "pipeline.yaml"
PICTURE = "demo_plate.png"
_EXIT_CODES = {"ok": 0, "failed": 1, "partial": 3, "interrupted": 130}


@click.command(name="demo")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("hcs_demo"),
    show_default=True,
    help="The folder that everything is put into.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of sentences.")
@click.pass_context
def command(context: click.Context, output: Path, as_json: bool) -> None:
    """Make a small synthetic plate, draw it, run the standard pipeline on it, and say where everything is.

    The plate lies in the layout of a MetaXpress export: 4 wells of 2 x 2 fields, 2 channels and 3 planes. A plate
    that is there from an earlier time is used again.
    """
    plugins = _plugins(context)
    say = (lambda _line: None) if as_json else click.echo
    say(f"Making a plate of {len(PLATE.wells)} wells in {output}, unless it is there ...")
    plate = demo_plate(output, plugins)
    picture = _draw(plate, output / PICTURE, plugins)
    say("Running the standard pipeline on it ...")
    pipeline = output / PIPELINE
    status, results = _run(plate, pipeline, plugins)
    if as_json:
        places = {"plate": plate, "picture": picture, "pipeline": pipeline, "output": results}
        texts = {name: str(path) if path else None for name, path in places.items()}
        click.echo(json.dumps({"status": status, **texts}, indent=2))
    else:
        click.echo(_summary(plate, picture, pipeline, results) if status == "ok" else _complaint(status, results))
    context.exit(_EXIT_CODES[status])


def _plugins(context: click.Context) -> PluginManager:
    """Return the command line's plugins, or those installed where the command runs by itself."""
    given = getattr(context.obj, "plugins", None)
    if isinstance(given, PluginManager):
        return given
    plugins = PluginManager()
    plugins.discover()
    return plugins


def demo_plate(folder: Path, plugins: PluginManager) -> Path:
    """Return the demonstration's plate in a folder; it is made unless it is there, whole and of this version.

    Raises
    ------
    hcs_core.PlateError
        Something else is in its place.
    """
    wanted = {"version": importlib.metadata.version("hcs-synthetic"), "description": _plain(PLATE)}
    record = folder / RECORD
    if record.is_file():
        found = _recorded(record)
        place = folder / str(found.pop("folder", ""))
        if found != wanted:
            raise PlateError(
                f"{folder} holds a demonstration's plate of another version: remove the folder, or choose another "
                "with -o."
            )
        if place.is_dir():
            return place
    elif (folder / PLATE.name).exists():
        raise PlateError(
            f"{folder / PLATE.name} is there, but was not made whole by `hcs demo`: remove it, or choose another "
            "folder with -o."
        )
    plate = make_plate(folder, PLATE, plugins=plugins)
    # Written last: a plate without it was cut short.
    record.write_text(json.dumps({**wanted, "folder": plate.name}, indent=2) + "\n", encoding="utf-8")
    return plate


def _recorded(record: Path) -> dict[str, Any]:
    """Return what the record of a plate says; nothing, which is no version's, where it cannot be understood."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(plate: SyntheticPlate) -> dict[str, Any]:
    """Return a plate's description as JSON gives it back."""
    plain: dict[str, Any] = json.loads(json.dumps(attrs.asdict(plate)))
    return plain


def _draw(plate: Path, picture: Path, plugins: PluginManager) -> Path | None:
    """Draw the plate beside it and return the picture; nothing where no plugin draws pictures."""
    if "plate_picture" not in plugins.writers:
        return None
    draw_plate(open_plate(plate, plugins=plugins), picture, plugins)
    return picture


def _run(plate: Path, pipeline_file: Path, plugins: PluginManager) -> tuple[str, Path]:
    """Run the standard pipeline, save it beside the plate, and return the run's status and its output folder."""
    from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step

    pipeline = Pipeline(
        "demo",
        [
            Step("max_projection"),
            Step("gaussian_blur", sigma=1.0),
            Step("white_tophat", radius=25),
            Step("percentile_normalize", low=1.0, high=99.8),
        ],
    )
    pipeline.save(pipeline_file)
    orchestrator = PipelineOrchestrator(plate, global_config=GlobalPipelineConfig(), plugins=plugins)
    result = orchestrator.run(pipelines=[pipeline])
    results = Path(result.output)
    # As the user wrote the folder, so that what is printed can be typed.
    beside = plate.with_name(results.name)
    return str(result.status), beside if beside.resolve() == results.resolve() else results


def _summary(plate: Path, picture: Path | None, pipeline: Path, results: Path) -> str:
    planes = len(PLATE.wells) * len(PLATE.site_grid) * len(PLATE.channels) * PLATE.z_count
    images = shlex.quote(str(results / "images.zarr"))
    raw, steps = shlex.quote(str(plate)), shlex.quote(str(pipeline))
    width = max(len(str(path)) for path in (plate, picture or plate, pipeline, results))
    drawn = f"{picture!s:<{width}}   a picture of it" if picture else "(no picture of it: pip install hcs-report)"
    return f"""
Done. What is there now:
  {plate!s:<{width}}   the plate, {planes} images as a MetaXpress export
  {drawn}
  {pipeline!s:<{width}}   the pipeline: project, smooth, take the background off, normalise
  {results!s:<{width}}   the results; images.zarr is an OME-Zarr plate

What to type next:
  hcs inspect {raw}
  hcs functions   (what a pipeline can do)
  hcs run {raw} {steps} -o my_results   (after a change to the pipeline)

To look at the images:
  napari --plugin napari-ome-zarr {images}   (pip install 'napari[all]' napari-ome-zarr)
  or in Python: zarr.open_group({str(results / "images.zarr")!r}, mode="r")
"""


def _complaint(status: str, results: Path) -> str:
    if status == "interrupted":
        return "The run was interrupted: `hcs demo` again, with the same -o, goes on with it."
    return f"The run ended as {status!r}: {results / 'failed.csv'} says which wells failed, and why."
