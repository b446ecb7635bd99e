"""Whether a folder is an ImageXpress plate, of which family, and what shows it."""

from __future__ import annotations

from pathlib import Path

from hcs_imagexpress.images import has_database_image
from hcs_imagexpress.names import DATE_FOLDER, TIMEPOINT_FOLDER, acquisition_order
from hcs_imagexpress.scan import Listing, list_folders, plane_folders

DATABASE = "its images have names of the MetaXpress database (a GUID in each)"


def recognise(root: Path) -> str | None:
    """Return what makes a folder a plate, or `None` where nothing does; no file is opened."""
    # Most plates are known by one look.
    top = list_folders(root, lambda _parent, _name: False)
    reason = reason_of_export(top)
    days = any(DATE_FOLDER.fullmatch(name) for name in top.folders[0].folders)
    if reason and not days and not has_database_image(top.folders[0]):
        return reason
    if has_database_image(list_folders(root, plane_folders(root), until=has_database_image).folders[-1]):
        return DATABASE
    # The timepoints may hold copies of an HTD that has been lost.
    return reason or reason_of_export(list_folders(root, _enters_timepoints))


def reason_of_export(listing: Listing) -> str | None:
    """Say which HTD file there is, and which folders of timepoints beside it."""
    htd = htd_files(listing)
    if not htd:
        return None
    found = (TIMEPOINT_FOLDER.fullmatch(name) for name in listing.folders[0].folders)
    timepoints = sorted((int(match[1]), match[0]) for match in found if match)
    if not timepoints:
        return f"it holds {htd[0]}"
    first, last = timepoints[0][1], timepoints[-1][1]
    return f"it holds {htd[0]} and {first}" + (f" to {last}" if last != first else "")


def htd_files(listing: Listing) -> tuple[str, ...]:
    """Return the paths of the HTD files of the first folder that has any.

    That is the plate's own folder before any with copies, and a newer acquisition's before an older one's.
    """

    def place(path: str) -> tuple[int, int, int, str]:
        day, number = acquisition_order(path)
        return path.count("/"), -day, -number, path

    having = sorted((place(folder.path), folder.htd_files) for folder in listing.folders if folder.htd_files)
    return tuple(f"{having[0][0][-1]}{name}" for name in having[0][1]) if having else ()


def _enters_timepoints(_parent: str, name: str) -> bool:
    return bool(TIMEPOINT_FOLDER.fullmatch(name))
