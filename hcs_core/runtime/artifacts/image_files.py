"""The files of images: written one by one; those that functions made out of sight, until their well is whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from hcs_core.arrays.image_artifact import ImageArtifact
from hcs_core.compiler.plan import Plan
from hcs_core.errors import StorageError
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.runtime.journal import FOLDER

_IMAGES = "images"


def write_image(write: Callable[[ImageArtifact, Path], None], image: ImageArtifact, path: Path) -> None:
    """Write the file of one image, under its own name: a writer may note that in the file, and makes it whole itself.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    try:
        write(image, path)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror or error}): free space, or check permissions."
        ) from error


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
