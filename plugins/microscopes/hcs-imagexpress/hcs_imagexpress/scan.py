"""One walk over a plate's folder: names only, no file is opened, nothing is written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import attrs

from hcs_core import PlateError
from hcs_imagexpress.names import ACQUISITION_FOLDER, DATE_FOLDER, TIMEPOINT_FOLDER, Z_FOLDER

Enters = Callable[[str, str], bool]
"""Whether a folder is listed: its parent's path below the plate's folder (`Folder.path`), and its name."""


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
        # The last letter is asked first: of a million names few have it.
        return tuple(sorted(name for name in self.names if name[-1] in "Dd" and name[-4:].lower() == ".htd"))


@attrs.frozen(kw_only=True)
class Listing:
    """All listed folders, and the paths of links to folders that were listed already."""

    folders: tuple[Folder, ...]
    repeated_links: tuple[str, ...] = ()


def plane_folders(root: Path) -> Enters:
    """Return what enters those folders below a plate's folder that hold planes.

    These are `TimePoint_` and `ZStep_` folders, and around them in a copy of the database the days and in these the
    acquisitions; `root` may be the folder of the plate, of a day or of an acquisition.
    """
    is_day = bool(DATE_FOLDER.fullmatch(absolute(root).name))

    def enters(parent: str, name: str) -> bool:
        if TIMEPOINT_FOLDER.fullmatch(name) or Z_FOLDER.fullmatch(name):
            return True
        if ACQUISITION_FOLDER.fullmatch(name):
            return is_day if not parent else bool(DATE_FOLDER.fullmatch(parent.removesuffix("/")))
        return not parent and bool(DATE_FOLDER.fullmatch(name))

    return enters


def absolute(root: Path) -> Path:
    """Return a folder's whole path, which has a name where `root` is `.` or ends in `..`; links stay."""
    return Path(os.path.abspath(root))  # noqa: PTH100 - Path.absolute keeps a ..


def list_folders(root: Path, enters: Enters, until: Callable[[Folder], bool] = lambda _: False) -> Listing:
    """List a folder and those folders below it that `enters` accepts, each once, up to the first where `until` holds.

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
        if until(folder):
            break
        own.extend(own_below)
        links.extend(links_below)
    return Listing(folders=tuple(folders), repeated_links=tuple(sorted(repeated)))


def _identity(root: Path, path: str) -> tuple[int, int]:
    try:
        status = os.stat(os.path.join(root, path))  # noqa: PTH116, PTH118 - as os.scandir takes it
    except OSError as error:
        raise _unlistable(root, path, error) from error
    return status.st_dev, status.st_ino


def _list(root: Path, path: str, enters: Enters) -> tuple[Folder, list[str], list[str]]:
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
                # Only a link has to be followed, which may fail: asked of every name, this would cost.
                is_link = entry.is_symlink()
                if _holds(entry.is_dir) if is_link else entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                    if enters(path, name):
                        (links if is_link else own).append(f"{path}{name}/")
                    continue
                names.append(name)
                if is_link and not _holds(entry.is_file):
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
