"""The options that `hcs plan` and `hcs run` share, and what they make of configuration and pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from hcs_core.cli.pipeline_files import load_pipeline
from hcs_core.cli.session import Session
from hcs_core.errors import PipelineError, PlateError
from hcs_core.orchestrator import PipelineOrchestrator
from hcs_core.pipeline.config import GlobalPipelineConfig, Selection, numbers
from hcs_core.pipeline.config_file import load_config
from hcs_core.pipeline.names import MissingData
from hcs_core.pipeline.pipeline import Pipeline

F = TypeVar("F", bound=Callable[..., Any])

_YAML = (".yaml", ".yml")
_OPTIONS = (
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        help="The output folder; for several plates, the folder of theirs. Beside the plate by default.",
    ),
    click.option(
        "--config", type=click.Path(path_type=Path), help="A YAML file with the fields of GlobalPipelineConfig."
    ),
    click.option(
        "--wells", help="Which wells: A01:B06, row:A, col:1-6, a list, a number (the first N), ~A01 (not it)."
    ),
    click.option("--channels", help="Which channels: names or numbers, separated by commas."),
    click.option("--sites", help="Which sites: numbers such as 1,3-5."),
    click.option("--z", help="Which z_indexes: numbers such as 1-10; 0 asks for the microscope's projections."),
    click.option("--time", help="Which timepoints: numbers such as 1-3."),
    click.option("--workers", type=click.IntRange(1, 1024), help="How many wells are worked on at once."),
    click.option("--threads/--processes", default=None, help="Work in threads, or always in processes."),
    click.option("--memory", help="The most memory that all workers may need together, such as 16G."),
    click.option("--device", help="Where kernels work that can choose: cpu, cuda, cuda:1."),
    click.option("--executor", help="What runs the wells."),
    click.option("--backend", help="The storage backend of the results."),
    click.option(
        "--missing",
        type=click.Choice([str(item) for item in MissingData]),
        help="What to do where planes are absent.",
    ),
    click.option("--microscope", help="The microscope's name; the folder is asked by default."),
    click.option("-n", "--dry-run", is_flag=True, help="Say what would run, and run nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
    click.option("-v", "--verbose", is_flag=True, help="With the tracebacks of errors."),
)


def run_options(function: F) -> F:
    """Add the shared options, and the plates and the pipelines as arguments, to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return click.argument("plates_and_pipeline", nargs=-1, required=True, metavar="PLATE... PIPELINE...")(function)


@attrs.frozen(kw_only=True)
class Asked:
    """What a command line asks for: plates, pipelines, and how."""

    plates: tuple[Path, ...]
    pipelines: tuple[Pipeline, ...]
    pipeline_paths: tuple[Path, ...]
    config: GlobalPipelineConfig
    output: Path | None
    repeat: tuple[str, ...]

    def orchestrator(self, plate: Path, session: Session) -> PipelineOrchestrator:
        """Return the orchestrator of one of the plates, initialized."""
        output = self.output
        if output is not None and len(self.plates) > 1:
            output = output / f"{plate.absolute().name}{self.config.path_planning.output_dir_suffix}"
        orchestrator = PipelineOrchestrator(plate, global_config=self.config, plugins=session.plugins, output=output)
        orchestrator.initialize()
        return orchestrator

    def repeat_for(self, plate: Path, output: Path) -> tuple[str, ...]:
        """Return the command line that runs one of the plates again, with its own output folder."""
        paths = (str(path.absolute()) for path in (plate, *self.pipeline_paths))
        return ("hcs", "run", *paths, "-o", str(output), *self.repeat)


def asked(options: dict[str, Any]) -> Asked:
    """Read the options of a command.

    Raises
    ------
    HcsError
        A file cannot be read, or a value is wrong.
    click.UsageError
        There is no plate, or no pipeline.
    """
    plates, pipeline_paths = _apart([Path(path) for path in options["plates_and_pipeline"]])
    if not plates:
        raise click.UsageError(
            "give a plate's folder and a pipeline file, as in `hcs run PLATE pipeline.yaml`; `hcs init` writes one."
        )
    if pipeline_paths[0].is_dir():
        raise PipelineError(
            f"{pipeline_paths[0]} is a folder: the last argument is a pipeline file; `hcs init` writes one."
        )
    names = [plate.absolute().name for plate in plates]
    if len(set(names)) < len(names):
        raise PlateError(
            "two of the plates have one name: their results would share a folder; run them one by one with -o."
        )
    chosen = _selection(options)
    pipelines = [
        attrs.evolve(
            pipeline, select=pipeline.select.override(chosen), missing=options["missing"] or pipeline.missing
        )
        for pipeline in map(load_pipeline, pipeline_paths)
    ]
    return Asked(
        plates=plates,
        pipelines=tuple(pipelines),
        pipeline_paths=pipeline_paths,
        config=_config(options),
        output=options["output"],
        repeat=_repeat(options),
    )


def _apart(paths: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return plates and pipeline files: the last is a pipeline, and so are those before it that are files or YAML."""
    first = len(paths) - 1
    while first > 0 and (paths[first - 1].is_file() or paths[first - 1].suffix in _YAML):
        first -= 1
    return tuple(paths[:first]), tuple(paths[first:])


def _selection(options: dict[str, Any]) -> Selection:
    def chosen(name: str) -> tuple[int, ...] | None:
        return None if options[name] is None else numbers(options[name])

    channels = options["channels"]
    return Selection(
        wells=options["wells"],
        channels=None if channels is None else tuple(part.strip() for part in channels.split(",") if part.strip()),
        sites=chosen("sites"),
        z=chosen("z"),
        timepoints=chosen("time"),
    )


def _config(options: dict[str, Any]) -> GlobalPipelineConfig:
    config = load_config(options["config"]) if options["config"] else GlobalPipelineConfig()
    said = {
        "num_workers": options["workers"],
        "use_threading": options["threads"],
        "memory_limit": options["memory"],
        "device": options["device"],
        "executor": options["executor"],
        "missing": options["missing"],
        "microscope": options["microscope"],
    }
    if options["backend"]:
        said["vfs"] = attrs.evolve(config.vfs, materialization_backend=options["backend"])
    return attrs.evolve(config, **{name: value for name, value in said.items() if value is not None})


def _repeat(options: dict[str, Any]) -> tuple[str, ...]:
    """Return the options that make a run what it is, for the command that repeats a well; wells are left out."""
    words: list[str] = []
    if options["config"] is not None:
        words += ["--config", str(options["config"].absolute())]
    for name in ("channels", "sites", "z", "time", "missing", "backend", "device", "microscope"):
        if options[name] is not None:
            words += [f"--{name}", str(options[name])]
    return tuple(words)
