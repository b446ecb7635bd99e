"""One walk over a plate's folder: names only, no file is opened, nothing is written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import attrs

from hcs_core import PlateError
from hcs_imagexpress.names import TIMEPOINT_FOLDER, Z_FOLDER


@attrs.frozen(kw_only=True)
class Folder:
    """A listed folder.

    Attributes
    ----------
    path
        Its place below the plate's folder, with `/`, and one at the end; empty for the plate's folder itself.
    names
        The names of its files, in no order; hidden ones are left out.
    folders
        The names of the folders in it, whether they are listed or not.
    dangling
        Those of its names that are links to files that are gone.
    """

    path: str
    names: tuple[str, ...]
    folders: tuple[str, ...] = ()
    dangling: frozenset[str] = frozenset()

    @property
    def htd_files(self) -> tuple[str, ...]:
        """The names of its HTD files, sorted."""
        return tuple(sorted(name for name in self.names if name[-4:].lower() == ".htd"))


@attrs.frozen(kw_only=True)
class Listing:
    """All listed folders, and the paths of links to folders that were listed already."""

    folders: tuple[Folder, ...]
    repeated_links: tuple[str, ...] = ()


def is_plane_folder(name: str) -> bool:
    """Whether a folder's name is one of those that hold planes in an exported plate."""
    return bool(TIMEPOINT_FOLDER.fullmatch(name) or Z_FOLDER.fullmatch(name))


def list_folders(root: Path, enters: Callable[[str], bool] = is_plane_folder) -> Listing:
    """List a folder and those folders below it whose names `enters` accepts, each once.

    Links to folders are followed after all others, so that a link that leads round in a circle, or to a folder
    of the plate, is the one that is left out.

    Raises
    ------
    PlateError
        A folder cannot be listed.
    """
    folders: list[Folder] = []
    repeated: list[str] = []
    seen: set[tuple[int, int]] = set()
    own, links = [""], list[str]()
    while own or links:
        linked = not own
        path = (links if linked else own).pop()
        identity = _identity(root, path)
        if identity in seen:
            repeated.append(path.removesuffix("/"))
            continue
        seen.add(identity)
        folder, own_below, links_below = _list(root, path, enters)
        folders.append(folder)
        own.extend(own_below)
        links.extend(links_below)
    return Listing(folders=tuple(folders), repeated_links=tuple(sorted(repeated)))


def _identity(root: Path, path: str) -> tuple[int, int]:
    try:
        status = os.stat(os.path.join(root, path))  # noqa: PTH116, PTH118 - as os.scandir takes it
    except OSError as error:
        raise _unlistable(root, path, error) from error
    return status.st_dev, status.st_ino


def _list(root: Path, path: str, enters: Callable[[str], bool]) -> tuple[Folder, list[str], list[str]]:
    """Return a folder, and below it the paths of the folders and of the links to folders to enter."""
    names: list[str] = []
    dangling: set[str] = set()
    folders: list[str] = []
    own: list[str] = []
    links: list[str] = []
    try:
        with os.scandir(os.path.join(root, path)) as entries:  # noqa: PTH118 - millions of names, no Path for each
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if _holds(entry.is_dir):
                    folders.append(name)
                    if enters(name):
                        (links if entry.is_symlink() else own).append(f"{path}{name}/")
                    continue
                names.append(name)
                if entry.is_symlink() and not _holds(entry.is_file):
                    dangling.add(name)
    except OSError as error:
        raise _unlistable(root, path, error) from error
    folder = Folder(path=path, names=tuple(names), folders=tuple(folders), dangling=frozenset(dangling))
    # They are taken from the end: the lowest name first.
    return folder, sorted(own, reverse=True), sorted(links, reverse=True)


def _holds(question: Callable[[], bool]) -> bool:
    """Ask an entry what it is; a link that leads to itself is nothing, as one that leads to nothing."""
    try:
        return question()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False
        raise


def _unlistable(root: Path, path: str, error: OSError) -> PlateError:
    return PlateError(
        f"{root / path} cannot be listed ({error.strerror}): check that it is there and that you may read it."
    )
