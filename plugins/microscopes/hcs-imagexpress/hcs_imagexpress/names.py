"""The names of MetaXpress' files and folders: the grammar, and the parser of plate-relative paths.

One grammar serves the exported plates (with an HTD file) and the copies of the database (with a GUID in each
name); they differ in the folders around the names: `TimePoint_1/ZStep_2/` in both, below `2023-02-21/1334/` (the
day and the number of the acquisition) in the copies.
"""

from __future__ import annotations

import re

import attrs

from hcs_core import ParsedName, PlaneKind, PlateError, canonical_well

_ROW = "A[A-F]|[A-Z]"
_COLUMN = "0[1-9]|[1-3][0-9]|4[0-8]"
GUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"

# - The whole name has to match, and nothing that looks like a well may follow the well: the last such token is it.
# - Only letters of the extension may be of any case: `_w10` is no well `W10`.
# - A GUID follows without a separator and may begin with digits: only its fixed length tells `_w1` + `46C9B2CD-...`
#   from `_w146` + `C9B2CD-...`.
# - `[0-9]` and not `\d`, which takes the digits of every script.
IMAGE_NAME = re.compile(
    rf"(?P<plate>[^.].*)_(?P<well>(?:{_ROW})(?:{_COLUMN}))"
    r"(?:_s0*(?P<site>[1-9][0-9]{0,4}?))?(?:_w0*(?P<channel>[1-9][0-9]{0,4}?))?(?P<thumb>_thumb)?"
    rf"(?:(?P<guid>{GUID})|_\[(?P<bracketed>{GUID})\])?\.(?i:tiff?)",
    re.DOTALL,
)
"""A whole file name: plate, well, site, channel, `_thumb`, GUID; hidden files do not match."""

TIMEPOINT_FOLDER = re.compile(r"(?i:TimePoint)_0*([1-9][0-9]{0,6})")
Z_FOLDER = re.compile(r"(?i:ZStep)_([0-9]{1,6})")
"""`ZStep_0` holds the projections, `ZStep_1` the first plane."""

DATE_FOLDER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ACQUISITION_FOLDER = re.compile(r"[0-9]{1,18}")

_PLATE = re.compile(r"[^./\\\0][^/\\\0]*")
_ACQUISITION = re.compile(rf"(?:({DATE_FOLDER.pattern})/)?(?:({ACQUISITION_FOLDER.pattern})/)?")


@attrs.frozen(kw_only=True)
class DatabaseName(ParsedName):
    """What the path of a database's copy says, with the GUID as it is written."""

    guid: str


def acquisition_of(path: str) -> str:
    """Return the folders of the day and of the acquisition that a plate-relative path begins with, `/` at the end.

    It is empty in an exported plate, and in part where the plate was given by one of these folders.

    Examples
    --------
    >>> acquisition_of("2023-02-21/1334/ZStep_1/P_B02.tif"), acquisition_of("TimePoint_1/P_B02.TIF")
    ('2023-02-21/1334/', '')
    """
    match = _ACQUISITION.match(path)
    return match[0] if match else ""


def acquisition_order(path: str) -> tuple[int, int]:
    """Return the day (as the number 20230221) and the number of the acquisition of a path, 0 where it has none."""
    match = _ACQUISITION.match(path)
    day, number = match.groups() if match else (None, None)
    return int(day.replace("-", "")) if day else 0, int(number) if number else 0


class MetaXpressParser:
    """The grammar of an exported plate: `TimePoint_1/ZStep_2/PLATE_B02_s1_w1.TIF`.

    Names of the database's copies (`PLATE_B02_s1_w146C9B2CD-....tif`) are read too, as `DatabaseName`, and not
    constructed: their GUID is known to the database only.
    """

    def parse_filename(self, path: str) -> ParsedName | None:
        """Return what a plate-relative path (a bare file name is one) says; `None` for what is no plane's image.

        Thumbnails, hidden files and all names outside the grammar are no images. That an image of the database is
        a projection stands in no name: it lies beside the `ZStep_` folders, which one path does not show.

        Examples
        --------
        >>> name = MetaXpressParser().parse_filename("TimePoint_1/ZStep_0/My_A01_plate_B02_s10.TIF")
        >>> name.plate, name.well, name.site, name.channel, name.z_index, name.kind.name
        ('My_A01_plate', 'B02', 10, None, 0, 'PROJECTION')
        """
        *folders, name = path.split("/")
        match = IMAGE_NAME.fullmatch(name)
        if match is None or match["thumb"]:
            return None
        z_index = _last_number(Z_FOLDER, folders)
        says = ParsedName(
            plate=match["plate"],
            well=match["well"],
            site=int(match["site"]) if match["site"] else None,
            channel=int(match["channel"]) if match["channel"] else None,
            z_index=z_index,
            timepoint=_last_number(TIMEPOINT_FOLDER, folders),
            kind=PlaneKind.PROJECTION if z_index == 0 else PlaneKind.ACQUIRED,
        )
        guid = match["guid"] or match["bracketed"]
        return DatabaseName(**attrs.asdict(says), guid=guid) if guid else says

    def construct_filename(self, name: ParsedName) -> str:
        """Return the plate-relative path of a plane in an exported plate.

        Without a z_index there is no `ZStep_` folder, without a timepoint no `TimePoint_` folder; without a
        site or a channel the name has no `_s` or `_w`. A projection lies in `ZStep_0`.

        Raises
        ------
        PlateError
            The plate's name is missing, a component is none that a name can hold, or the name is one of the
            database's.
        """
        if isinstance(name, DatabaseName):
            raise PlateError(
                f"the file name of {name.well} cannot be made: its GUID is known to the MetaXpress database only; "
                "take the path from the inventory."
            )
        if name.plate is None:
            raise PlateError(f"the file name of {name.well} cannot be made: the plate's name is missing.")
        if not _PLATE.fullmatch(name.plate):
            raise PlateError(
                f"{name.plate!r} cannot begin a file name: a plate's name is not empty, starts with no dot and has "
                "no slash."
            )
        z_index = 0 if name.kind == PlaneKind.PROJECTION and name.z_index is None else name.z_index
        whole = attrs.evolve(name, well=canonical_well(name.well), z_index=z_index)
        path = "".join(
            (
                "" if name.timepoint is None else f"TimePoint_{name.timepoint}/",
                "" if z_index is None else f"ZStep_{z_index}/",
                f"{name.plate}_{whole.well}",
                "" if name.site is None else f"_s{name.site}",
                "" if name.channel is None else f"_w{name.channel}",
                ".TIF",
            )
        )
        if self.parse_filename(path) != whole:
            raise PlateError(
                f"{path!r} is no ImageXpress image's name, or another plane's: wells are A01 to AF48, numbers "
                "count from 1, and z_index 0 is the projection's."
            )
        return path


def _last_number(pattern: re.Pattern[str], folders: list[str]) -> int | None:
    """Return the number of the innermost folder that matches, or `None`."""
    matches = (pattern.fullmatch(folder) for folder in reversed(folders))
    return next((int(match[1]) for match in matches if match), None)
