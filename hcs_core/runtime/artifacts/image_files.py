"""The files of images that functions made: written out of sight, put into the results when their well is whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from hcs_core.compiler.plan import Plan
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.runtime.journal import FOLDER

_IMAGES = "images"


def images_folder(output: Path) -> Path:
    """Return where workers write: a folder for each name, in it one for each well."""
    return output / FOLDER / _IMAGES


def _names(plan: Plan) -> list[str]:
    return [artifact.name for artifact in plan.artifacts if artifact.kind == ArtifactKind.IMAGE]


def remove_images(plan: Plan, output: Path, well: str) -> None:
    """Remove what an attempt at a well that did not end has left out of sight."""
    for name in _names(plan):
        shutil.rmtree(images_folder(output) / name / well, ignore_errors=True)


def publish_images(plan: Plan, output: Path, results: Path, well: str) -> None:
    """Put the images of a well that is whole into the results, in place of what was there."""
    for name in _names(plan):
        made = images_folder(output) / name / well
        place = results / name / well
        shutil.rmtree(place, ignore_errors=True)
        if made.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            # `results` may be on another disk, where nothing can be renamed to.
            shutil.move(made, place)


def withdraw_images(plan: Plan, output: Path, results: Path, well: str) -> None:
    """Remove the images of a well that is not whole."""
    remove_images(plan, output, well)
    for name in _names(plan):
        shutil.rmtree(results / name / well, ignore_errors=True)
