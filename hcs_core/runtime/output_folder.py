"""The output folder: made, checked and cleared so that nothing of anybody else is ever touched."""

from __future__ import annotations

import csv
import glob
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hcs_core.errors import RunError, StorageError
from hcs_core.pipeline.config import PathPlanningConfig
from hcs_core.runtime.artifacts.artifact_files import forget_files
from hcs_core.runtime.artifacts.image_files import images_folder
from hcs_core.runtime.artifacts.well_parts import PARTS
from hcs_core.runtime.journal import FOLDER, Journal

WORKSPACES = f"{FOLDER}/workspace"
"""The folder of the plate's workspaces."""

ESTIMATES = f"{FOLDER}/estimates"
"""Where what was estimated of the plate is kept, in the output folder."""

RUN_FILES = ("run.json", "plan.json", "pipeline.yaml", "failed.csv", "results/wells.csv", "results/planes.csv")
"""What a run writes beside its stores; the files of further pipelines are called as `pipeline_file` says."""


def pipeline_file(number: int) -> str:
    """Return the name of the file of the first, second and so on pipeline of a run."""
    return "pipeline.yaml" if number == 1 else f"pipeline_{number}.yaml"


def output_folder(plate_root: Path, paths: PathPlanningConfig) -> Path:
    """Return where the results of a plate go: beside it, or in the folder that the configuration names."""
    parent = paths.global_output_folder or plate_root.parent
    return parent / f"{plate_root.name}{paths.output_dir_suffix}"


def check_output(output: Path, plate_root: Path) -> None:
    """Refuse an output folder that cannot be one; nothing is made or changed.

    Raises
    ------
    RunError
        It lies within the plate, is a file, or holds something that no run of hcs left there.
    """
    check_outside(output, plate_root)
    resolved, plate = output.resolve(), plate_root.resolve()
    if resolved in plate.parents and resolved.exists():
        raise RunError(f"{output} holds the plate itself: give a folder for its results alone with -o.")
    if output.exists() and not output.is_dir():
        raise RunError(f"{output} is a file: choose another output folder with -o.")
    if output.is_dir() and not (output / FOLDER).is_dir() and any(output.iterdir()):
        raise RunError(
            f"{output} is not empty and holds no results of hcs: choose another output folder with -o, or empty it."
        )


def check_outside(folder: Path, plate_root: Path) -> None:
    """Refuse a folder within the plate, links seen through.

    Raises
    ------
    RunError
        It lies within the plate.
    """
    resolved, plate = folder.resolve(), plate_root.resolve()
    if resolved == plate or plate in resolved.parents:
        raise RunError(
            f"{folder} lies within the plate {plate_root}: nothing is written into a plate; choose another (-o)."
        )


def prepare_folder(folder: Path, plate_root: Path, output: Path) -> None:
    """Make a folder for files beside a run's own, unless it is there.

    Where it lies in an output folder that is not there yet, that is prepared too: a run would not take it for one of
    hcs otherwise.

    Raises
    ------
    RunError
        It lies within the plate.
    StorageError
        It cannot be made.
    """
    check_outside(folder, plate_root)
    if folder.resolve().is_relative_to(output.resolve()) and not (output.exists() and any(output.iterdir())):
        prepare_output(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be made ({error.strerror}): choose another folder, or change the permissions."
        ) from error


def prepare_output(output: Path) -> None:
    """Make the output folder, and find out now whether it can be written.

    Raises
    ------
    StorageError
        It cannot be made or written.
    """
    try:
        (output / FOLDER).mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output / FOLDER, prefix="probe-"):
            pass
    except OSError as error:
        raise StorageError(
            f"{output} cannot be written ({error.strerror}): choose another output folder with -o, or change its "
            "permissions."
        ) from error


@contextmanager
def held_output(output: Path) -> Iterator[None]:
    """Keep other runs out of an output folder for as long as the block lasts; the system forgets it with the process.

    Raises
    ------
    RunError
        Another run works in it.
    """
    try:
        import fcntl
    except ImportError:  # Windows has no such locks: two runs at once are not noticed there.
        yield
        return
    folder = os.open(output / FOLDER, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = f"another run works in {output}: wait for its end, or choose another output folder (-o)."
            raise RunError(text) from error
        yield
    finally:
        os.close(folder)


def check_same_run(output: Path, pipeline: str, content_key: str) -> None:
    """Refuse to mix the results of two pipelines (or of one on two plates, or of two versions of a kernel).

    Raises
    ------
    RunError
        The output holds another run.
    """
    content = Journal(output).read()
    if content is not None and content.content_key != content_key:
        what = (
            f"the pipeline {content.pipeline!r}"
            if content.pipeline != pipeline
            else f"an earlier version of {pipeline!r}, or of another plate"
        )
        raise RunError(
            f"{output} holds a run of {what}: choose another output folder with -o, or --fresh to remove "
            "what is there."
        )


def clear_output(output: Path) -> None:
    """Remove what a run left: the stores that its journal names and its files, and nothing else."""
    content = Journal(output).read()
    for name in content.stores if content else ():
        path = output / name
        # Out of sight first: a removal that is cut off must not leave half a plate under its name.
        hidden = output / FOLDER / f"removed-{name}"
        shutil.rmtree(hidden, ignore_errors=True)
        if path.exists():
            path.rename(hidden)
            shutil.rmtree(hidden)
    _clear_estimates(output)
    # Links are removed, never followed.
    shutil.rmtree(output / WORKSPACES, ignore_errors=True)
    further = itertools.takewhile(lambda name: (output / name).is_file(), map(pipeline_file, itertools.count(2)))
    for name in (*RUN_FILES, *list(further)):
        (output / name).unlink(missing_ok=True)
    forget_files(output)
    shutil.rmtree(output / FOLDER / PARTS, ignore_errors=True)
    shutil.rmtree(images_folder(output), ignore_errors=True)
    # The folder itself stays: by it the output is known for one of hcs, whatever else lies there.
    Journal(output).path.unlink(missing_ok=True)


def _clear_estimates(output: Path) -> None:
    """Remove what was estimated of the plate, and the files that its table names."""
    shutil.rmtree(output / ESTIMATES, ignore_errors=True)
    table = output / "results/estimates.csv"
    if not table.is_file():
        return
    with table.open(encoding="utf-8", newline="") as file:
        named = [row[column] for row in csv.DictReader(file) for column in ("file", "picture") if row.get(column)]
    folders = set()
    for name in named:
        path = table.parent / name
        folders.add(path.parent)
        # A profile may have been written as TIFF, too.
        for one in {path, *path.parent.glob(f"{glob.escape(path.stem)}.tif*")}:
            one.unlink(missing_ok=True)
    table.unlink()
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
