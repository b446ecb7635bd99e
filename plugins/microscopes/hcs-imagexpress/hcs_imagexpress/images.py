"""The images of a listing, by family and by the plate that their names begin with."""

from __future__ import annotations

import re
import unicodedata

import attrs

from hcs_imagexpress.names import GUID, IMAGE_NAME, MetaXpressParser, acquisition_of
from hcs_imagexpress.planes import Files
from hcs_imagexpress.scan import Folder, Listing

_Place = tuple[Files, int]
"""The plate of an image, and the number of its (well, site, channel) among that plate's."""

_NOWHERE: _Place = (Files(), -1)
"""Of thumbnails and what is no image."""

_END = re.compile(rf"{GUID}\.(?i:tif)")
_END_LENGTH = 40
"""36 characters of a GUID, 4 of the extension."""


@attrs.define
class Images:
    """The images of a listing by the plate that their names begin with."""

    exported: dict[str, Files] = attrs.field(factory=dict)
    """Those that MetaXpress exported."""
    database: dict[str, Files] = attrs.field(factory=dict)
    """Those that the MetaXpress database named: with a GUID."""


def folded(name: str) -> str:
    """Return a name as file systems that ignore case, or decompose letters, compare it."""
    return unicodedata.normalize("NFC", name).casefold()


def count(by_plate: dict[str, Files]) -> int:
    """Return how many images there are of all plates."""
    return sum(len(files.uri) for files in by_plate.values())


def has_database_image(folder: Folder) -> bool:
    """Whether one of a folder's files is an image that the database named, and no thumbnail."""
    matches = (IMAGE_NAME.fullmatch(name) for name in folder.names)
    return any(match and not match["thumb"] and (match["guid"] or match["bracketed"]) for match in matches)


def images_of(listing: Listing) -> Images:
    """Take the images out of a listing; thumbnails and what is not named as an image are left.

    No `_s` is site 1, no `_w` is channel 1, no `TimePoint_` folder is timepoint 1. An exported image without a
    `ZStep_` folder has z_index 1. One of the database too, unless its acquisition has such folders: then the images
    beside these are the projections (z_index 0), also those of channels that have nothing in them.
    """
    taking = _Taking()
    places = [(folder, _place(folder)) for folder in listing.folders]
    stacked = {acquisition_of(folder.path) for folder, (z_index, _) in places if z_index}
    for folder, (z_index, timepoint) in places:
        taking.take(folder)
        beside_stacks = 0 if acquisition_of(folder.path) in stacked else 1
        for files in taking.images.exported.values():
            files.end_folder(folder.path, 1 if z_index is None else z_index, timepoint)
        for files in taking.images.database.values():
            files.end_folder(folder.path, beside_stacks if z_index is None else z_index, timepoint)
    return Images(exported=_by_first_name(taking.images.exported), database=_by_first_name(taking.images.database))


def _place(folder: Folder) -> tuple[int | None, int]:
    """Return z_index and timepoint of a folder's images: what the grammar says of any image's path in it."""
    place = MetaXpressParser().parse_filename(f"{folder.path}x_A01.TIF")
    return (place.z_index, place.timepoint or 1) if place else (None, 1)


def _by_first_name(by_plate: dict[str, Files]) -> dict[str, Files]:
    """Keep one name of each plate, of those that differ in case or Unicode form only: the first, however listed."""
    names: dict[int, str] = {}
    for name, files in by_plate.items():
        names[id(files)] = min(name, names.get(id(files), name))
    return {names[id(files)]: files for files in by_plate.values()}


class _Taking:
    """Sorts names into the columns of their plates.

    The same names come again in the folder of each z-step and timepoint, but for their GUID: what a name says is
    remembered, by the part before the GUID where it has one, and the grammar is asked once. Whatever GUID follows, it
    says the same: none of its characters can be part of a well, a site or a channel.
    """

    def __init__(self) -> None:
        self.images = Images()
        self._said: dict[str, _Place] = {}
        self._said_before_guid: dict[str, _Place] = {}
        self._same: dict[tuple[str, bool], Files] = {}

    def take(self, folder: Folder) -> None:
        """Add the images of one folder: this runs once for each of a million names."""
        said, said_before_guid, path, dangling = self._said, self._said_before_guid, folder.path, folder.dangling
        for name in folder.names:
            place = said_before_guid.get(name[:-_END_LENGTH])
            if place is None or not _END.fullmatch(name, len(name) - _END_LENGTH):
                place = said.get(name) or self._read(name)
            if place is _NOWHERE:
                continue
            files, number = place
            files.place.append(number)
            files.uri.append(path + name)
            if name in dangling:
                files.gone.add(path + name)

    def _read(self, name: str) -> _Place:
        """Ask the grammar what a name says, and remember it."""
        match = IMAGE_NAME.fullmatch(name)
        if match is None:
            return _NOWHERE
        guid = match["guid"] or match["bracketed"]
        place = _NOWHERE if match["thumb"] else self._place_of(match, of_database=bool(guid))
        if _END.fullmatch(name, len(name) - _END_LENGTH):
            self._said_before_guid[name[:-_END_LENGTH]] = place
        elif not guid:
            self._said[name] = place
        return place

    def _place_of(self, match: re.Match[str], *, of_database: bool) -> _Place:
        by_plate = self.images.database if of_database else self.images.exported
        plate, site, channel = match["plate"], match["site"], match["channel"]
        files = by_plate.get(plate)
        if files is None:
            files = by_plate[plate] = self._same.setdefault((folded(plate), of_database), Files())
        return files, files.number_of(match["well"], int(site) if site else 1, int(channel) if channel else 1)
