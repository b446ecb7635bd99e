"""The images below a folder: a plate, its workspace, or a folder of images that are named as the plate's are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import attrs

from hcs_core.errors import PlateError
from hcs_core.plate.inventory import Plate
from hcs_core.plate.microscope import FilenameParser
from hcs_core.plate.plane_table import PlaneKind, PlaneState
from hcs_core.plate.wells import canonical_well, parse_well
from hcs_core.plate.workspace import MAPPING

TIFF_READER = "tiff"
_TIFF_SUFFIXES = frozenset({".tif", ".tiff"})


@attrs.frozen(kw_only=True)
class FoundImage:
    """An image file: the plane that it is, and where it lies.

    `z_index` is 0 for a projection; `name` is its path below the folder that was looked through, with `/`; `location`
    and `selector` are what its reader is told.
    """

    well: str
    site: int
    channel: int
    z_index: int
    timepoint: int
    name: str
    location: str
    selector: int
    reader: str

    @property
    def place(self) -> tuple[int, int, int]:
        """Channel, z_index and timepoint: what the images of one mosaic share."""
        return self.channel, self.z_index, self.timepoint


def images_below(
    folder: Path, plate: Plate, parser: FilenameParser, workspace: Path, well: str | None = None
) -> tuple[FoundImage, ...]:
    """Return the images below a folder, by well, channel, timepoint, z_index and site; of one well, if one is named.

    Below the plate, or its workspace, these are the planes of the inventory that are present. Any other folder is
    walked through: its images are the files whose paths below it the plate's grammar reads, and what a name leaves
    out is 1. They are read as TIFF; a suffix that the plate's planes have and TIFF has not, as these planes are.

    Parameters
    ----------
    folder
        The folder; `workspace` need not be made for it to be known.
    plate
        The inventory.
    parser
        The grammar of its names.
    workspace
        Where the plate's workspace lies, or would.
    well
        The well's name, as it is written here.

    Raises
    ------
    PlateError
        There is no such folder, there is no such image in it, or two files are one plane.
    """
    if well is not None:
        plate.planes.of_well(well)  # It says which wells there are.
    below = _below(folder, plate.root, workspace)
    found = list(_named(folder, plate, parser, well) if below is None else _planes(plate, below, well))
    if not found:
        what = "image" if well is None else f"image of {well}"
        raise PlateError(
            f"{folder} holds no {what} that is named as those of {plate.name} are (such as {_example(plate)}): give "
            "the plate, its workspace, or a folder of images with such names."
        )
    found.sort(key=lambda image: (parse_well(image.well), image.channel, image.timepoint, image.z_index, image.site))
    return tuple(found)


def _below(folder: Path, root: Path, workspace: Path) -> PurePosixPath | None:
    """Return a folder's path below the plate or its workspace; `None` where it is in neither."""
    for top in (workspace, root):
        # As it is written, for a link that leads out of the plate; and as it is, for one that leads into it.
        for whole, start in ((Path(os.path.abspath(folder)), top), (folder.resolve(), top.resolve())):  # noqa: PTH100
            if whole.is_relative_to(start):
                return PurePosixPath(whole.relative_to(start).as_posix())
    return None


def _planes(plate: Plate, below: PurePosixPath, well: str | None) -> Iterator[FoundImage]:
    planes = plate.planes if well is None else plate.planes.of_well(well)
    present = planes.select(planes.state == PlaneState.PRESENT)
    for plane in present:
        path = PurePosixPath(plane.uri)
        if path.is_relative_to(below):
            yield FoundImage(
                well=plane.well,
                site=plane.site,
                channel=plane.channel,
                z_index=plane.z_index,
                timepoint=plane.timepoint,
                name=path.relative_to(below).as_posix(),
                location=str(plate.root / plane.uri),
                selector=plane.selector,
                reader=plane.reader,
            )


def _named(folder: Path, plate: Plate, parser: FilenameParser, well: str | None) -> Iterator[FoundImage]:
    readers = _readers(plate)
    seen: dict[tuple[str, int, tuple[int, int, int]], str] = {}
    for name, location in _files(folder):
        parsed = parser.parse_filename(name)
        reader = readers.get(_suffix(name))
        if parsed is None or reader is None or (well is not None and canonical_well(parsed.well) != well):
            continue
        z_index = 0 if parsed.kind == PlaneKind.PROJECTION else _or_one(parsed.z_index)
        image = FoundImage(
            well=canonical_well(parsed.well),
            site=_or_one(parsed.site),
            channel=_or_one(parsed.channel),
            z_index=z_index,
            timepoint=_or_one(parsed.timepoint),
            name=name,
            location=location,
            selector=0,
            reader=reader,
        )
        other = seen.setdefault((image.well, image.site, image.place), name)
        if other != name:
            raise PlateError(f"{folder} has two images of one plane, {other} and {name}: leave one of them.")
        yield image


def _or_one(number: int | None) -> int:
    return 1 if number is None else number


def _readers(plate: Plate) -> Mapping[str, str]:
    """Return the name of the reader of each suffix."""
    own: dict[str, str] = {}
    for index, reader in enumerate(plate.planes.readers):
        uris = (plate.planes.uri[row] for row in (plate.planes.reader == index).nonzero()[0].tolist())
        own |= dict.fromkeys({_suffix(uri) for uri in uris if uri}, reader)
    return own | dict.fromkeys(_TIFF_SUFFIXES, TIFF_READER)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - no Path for each of a million names


def _files(folder: Path) -> Iterable[tuple[str, str]]:
    """Yield path and location of every file below a folder, in order; of a workspace without links, the originals."""
    if not folder.is_dir():
        raise PlateError(f"{folder} is no folder: give the one that holds the images.")
    mapping = folder / MAPPING
    if mapping.is_file():
        yield from sorted(json.loads(mapping.read_text(encoding="utf-8"))["files"].items())
        return
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            location = Path(path, name)
            yield location.relative_to(folder).as_posix(), str(location)


def _example(plate: Plate) -> str:
    return next((uri for uri in plate.planes.uri if uri), "none")
