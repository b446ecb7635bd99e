"""The HTD file: what MetaXpress planned to acquire.

A text of lines `"Key", value, value ...`, the last of which is `"EndFile"`. It states the plan, not the result.
Its bytes are those of the acquiring computer's code page (line ends within a description are stored as the
bytes 0x82 0x81), so that it is never decoded strictly.
"""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from hcs_core import PlateError, well_name

_LINE = re.compile(r'\s*"([^"]+)"\s*(?:,(.*))?')
_MOST_ROWS, _MOST_COLUMNS = 32, 48
_MOST_SITES_ALONG_AN_AXIS = 200
_MOST_WAVELENGTHS = 100
_MOST_PLANES_ALONG_AN_AXIS = 1_000_000


@attrs.frozen(kw_only=True)
class HtdPlan:
    """What an HTD file declares; `None` (or empty) where it does not say.

    Attributes
    ----------
    name
        The file's name.
    whole
        Whether it has its last line, `"EndFile"`.
    plate_format
        Rows and columns.
    wells
        The wells that are selected.
    site_grid
        The 0-based row and column of each site, numbered in reading order over the selected cells.
    wave_names
        The name of each wavelength by number, collected or not; empty where it has none.
    channels
        The numbers of the wavelengths that are collected.
    z_indexes
        The z-steps, with 0 for the projection where one is made of a stack.
    timepoints
        The timepoints.
    """

    name: str
    whole: bool
    plate_format: tuple[int, int] | None = None
    wells: tuple[str, ...] = ()
    site_grid: dict[int, tuple[int, int]] = attrs.field(factory=dict)
    wave_names: dict[int, str] = attrs.field(factory=dict)
    channels: tuple[int, ...] | None = None
    z_indexes: tuple[int, ...] | None = None
    timepoints: tuple[int, ...] | None = None


NO_PLAN = HtdPlan(name="", whole=True)
"""What is known of the plan where there is no HTD file."""


def read_htd(path: Path) -> HtdPlan:
    """Read an HTD file, as far as it goes.

    Raises
    ------
    PlateError
        It cannot be opened.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlateError(f"{path} cannot be read ({error.strerror}): check that it is there and readable.") from error
    return parse_htd(path.name, content)


def parse_htd(name: str, content: bytes) -> HtdPlan:
    """Return the plan that the bytes of an HTD file declare, whatever they are."""
    # Replacement, because some bytes (0x81) stand for nothing in the code page of Western Windows.
    lines = content.decode("cp1252", errors="replace").splitlines(keepends=True)
    matches = [_LINE.fullmatch(line.strip()) for line in lines]
    whole = any(match is not None and match[1] == "EndFile" for match in matches)
    if not whole and lines and not lines[-1].endswith(("\n", "\r")):
        # The line in which the file was cut off may hold half a value.
        matches.pop()
    values = {match[1]: (match[2] or "").strip() for match in matches if match}
    rows, columns = _number(values, "YWells", _MOST_ROWS), _number(values, "XWells", _MOST_COLUMNS)
    return HtdPlan(
        name=name,
        whole=whole,
        plate_format=(rows, columns) if rows and columns else None,
        wells=_wells(values),
        site_grid=_site_grid(values),
        wave_names={
            int(key.removeprefix("WaveName")): _text(value)
            for key, value in values.items()
            if re.fullmatch(r"WaveName[1-9][0-9]{0,2}", key)
        },
        channels=_channels(values),
        z_indexes=_z_indexes(values),
        timepoints=_count(values, "TimePoints"),
    )


def _text(value: str) -> str:
    return value.strip().removeprefix('"').removesuffix('"').strip()


def _flags(value: str) -> list[bool]:
    return [part.strip().upper() == "TRUE" for part in value.split(",")]


def _flag(values: dict[str, str], key: str) -> bool | None:
    return _flags(values[key])[0] if key in values else None


def _number(values: dict[str, str], key: str, most: int) -> int | None:
    text = _text(values.get(key, ""))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most:
        return None
    return int(text)


def _count(values: dict[str, str], key: str) -> tuple[int, ...] | None:
    number = _number(values, key, _MOST_PLANES_ALONG_AN_AXIS)
    return None if not number else tuple(range(1, number + 1))


def _wells(values: dict[str, str]) -> tuple[str, ...]:
    wells: list[str] = []
    for row in range(_MOST_ROWS):
        flags = _flags(values.get(f"WellsSelection{row + 1}", ""))[:_MOST_COLUMNS]
        wells.extend(well_name(row, column) for column, selected in enumerate(flags) if selected)
    return tuple(wells)


def _site_grid(values: dict[str, str]) -> dict[int, tuple[int, int]]:
    if _flag(values, "Sites") is False:
        return {1: (0, 0)}
    rows = _number(values, "YSites", _MOST_SITES_ALONG_AN_AXIS)
    columns = _number(values, "XSites", _MOST_SITES_ALONG_AN_AXIS)
    if not rows or not columns:
        return {}
    cells: list[tuple[int, int]] = []
    for row in range(rows):
        line = values.get(f"SiteSelection{row + 1}")
        # Some versions leave these lines out: every cell is selected then.
        flags = [True] * columns if line is None else _flags(line)[:columns]
        cells.extend((row, column) for column, selected in enumerate(flags) if selected)
    return dict(enumerate(cells, start=1))


def _channels(values: dict[str, str]) -> tuple[int, ...] | None:
    if _flag(values, "Waves") is False:
        return (1,)
    number = _number(values, "NWavelengths", _MOST_WAVELENGTHS)
    if not number:
        return None
    collected = (_text(values.get(f"WaveCollect{wave}", "1")) != "0" for wave in range(1, number + 1))
    return tuple(wave for wave, kept in enumerate(collected, start=1) if kept)


def _z_indexes(values: dict[str, str]) -> tuple[int, ...] | None:
    stack = _flag(values, "ZSeries")
    if stack is None:
        return None
    if not stack:
        # `ZProjection` may be TRUE here all the same, and nothing is projected.
        return (1,)
    steps = _count(values, "ZSteps")
    if steps is None:
        return None
    return (0, *steps) if _flag(values, "ZProjection") else steps
