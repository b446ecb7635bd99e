"""The workspace: a tree of links like the plate's, which shields the originals."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from hcs_core.errors import StorageError, one_line
from hcs_core.plate.inventory import Plate

MAPPING = "workspace.json"
"""In a workspace without links: `why` there are none, and `files`, the original of each path."""

_DIGEST_LETTERS = 16


def workspace_place(plate: Plate, folder: Path) -> Path:
    """Return where the workspace of a plate lies in the folder of workspaces, whether it is made or not.

    The path has the inventory's digest in it, so that a plate that has changed gets another one, and ends as the
    plate's own: handlers take the name of a plate, and more, from the names of its folder and of those around it.
    """
    around = next((parent for parent in (plate.root, *plate.root.parents) if parent.name == plate.name), plate.root)
    return folder / plate.planes.digest()[:_DIGEST_LETTERS] / plate.root.relative_to(around.parent)


def make_workspace(plate: Plate, folder: Path) -> Path:
    """Return the workspace of a plate, which is made unless it is there.

    Each file of the plate's folder becomes a link to the original, each folder a folder. Where links cannot be made,
    the workspace holds the file `workspace.json` in their place.

    Whoever asks at the same time gets the same workspace: it is made under another name, and has its own when it
    is whole.

    Parameters
    ----------
    plate
        The inventory.
    folder
        The folder of workspaces; it must not lie in the plate.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    place = workspace_place(plate, folder)
    if place.is_dir():
        return place
    making = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    try:
        making.mkdir(parents=True)
        try:
            _fill(making, plate, place)
            _give_name(making, place)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        raise StorageError(
            f"the workspace {place} cannot be made ({error.strerror or error}): free space, or choose another output "
            "folder (-o)."
        ) from error
    return place


def _fill(making: Path, plate: Plate, place: Path) -> None:
    try:
        for path, original, is_folder in _entries(plate.root, place):
            if is_folder:
                (making / path).mkdir()
            else:
                (making / path).symlink_to(original)
    except OSError as error:
        # Windows without the right to make links, and file systems that have none: the folders that are made
        # already say nothing then.
        _write_mapping(making, plate, place, why=one_line(error))


def _write_mapping(making: Path, plate: Plate, place: Path, why: str) -> None:
    shutil.rmtree(making)
    making.mkdir()
    entries = _entries(plate.root, place)
    files = {
        path: original
        for path, original, is_folder in entries
        if not is_folder and not Path(original).is_relative_to(place)
    }
    text = json.dumps({"why": f"links cannot be made here ({why})", "files": files}, indent=1)
    (making / MAPPING).write_text(text + "\n", encoding="utf-8")


def _give_name(making: Path, place: Path) -> None:
    try:
        making.rename(place)
    except OSError:
        # A folder that holds something is never replaced: another worker was first.
        if not place.is_dir():
            raise


def _entries(root: Path, place: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield path, original and whether it is a folder, of all below a plate's folder, folders before what is in them.

    A link to a folder of the plate becomes one to that folder of the workspace: nobody may come through it to
    the originals. One to a folder elsewhere becomes a folder; of one that leads round in a circle, nothing.
    """
    whole = root.resolve()
    waiting: list[tuple[str, tuple[Path, ...]]] = [("", (whole,))]
    while waiting:
        path, way = waiting.pop()
        with os.scandir(root / path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            name = f"{path}{entry.name}"
            if not _is_folder(entry):
                yield name, str(root / name), False
                continue
            target = Path(entry.path).resolve()
            if entry.is_symlink() and target.is_relative_to(whole):
                yield name, str(place / target.relative_to(whole)), False
            elif target not in way:
                yield name, str(root / name), True
                waiting.append((f"{name}/", (*way, target)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that leads to itself is no folder.
        return False
