"""The texts of an exported plate as MetaXpress writes them: the HTD file, and the MetaSeries text of an image."""

from __future__ import annotations

import html
from collections.abc import Iterable

from hcs_core import Channel, PlateDescription, parse_well

Properties = dict[str, str | float | bool]
"""The properties of a MetaSeries text by their id."""

_CODE_PAGE = "cp1252"


def has_stack(plate: PlateDescription) -> bool:
    """Whether planes lie in `ZStep_` folders."""
    return plate.z_indexes != (1,)


def has_sites(plate: PlateDescription) -> bool:
    """Whether names say the site."""
    return dict(plate.site_grid) != {1: (0, 0)}


def has_waves(plate: PlateDescription) -> bool:
    """Whether names say the wavelength."""
    return tuple(channel.number for channel in plate.channels) != (1,)


def htd_text(plate: PlateDescription, identifier: str) -> bytes:
    """Return the content of a plate's HTD file."""
    lines = [
        '"HTSInfoFile", Version 1.0',
        f'"Description", "{_storable(plate.name)}"',
        '"PlateType", 2',
        f'"TimePoints", {max(plate.timepoints)}',
        f'"ZSeries", {_flag(has_stack(plate))}',
        f'"ZSteps", {max(plate.z_indexes) if has_stack(plate) else 0}',
        '"ZProjection", FALSE',
        *_well_lines(plate),
        *_site_lines(plate),
        *_wave_lines(plate),
        f'"UniquePlateIdentifier", "{identifier}"',
        '"EndFile"',
    ]
    return "".join(f"{line}\r\n" for line in lines).encode(_CODE_PAGE)


def _well_lines(plate: PlateDescription) -> Iterable[str]:
    rows, columns = plate.plate_format
    places = {parse_well(well) for well in plate.wells}
    yield f'"XWells", {columns}'
    yield f'"YWells", {rows}'
    for row in range(rows):
        yield f'"WellsSelection{row + 1}", {_flags((row, column) in places for column in range(columns))}'


def _site_lines(plate: PlateDescription) -> Iterable[str]:
    cells = set(plate.site_grid.values())
    rows, columns = (max(cell[axis] for cell in cells) + 1 for axis in (0, 1))
    yield f'"Sites", {_flag(has_sites(plate))}'
    yield f'"XSites", {columns}'
    yield f'"YSites", {rows}'
    if has_sites(plate):
        for row in range(rows):
            yield f'"SiteSelection{row + 1}", {_flags((row, column) in cells for column in range(columns))}'


def _wave_lines(plate: PlateDescription) -> Iterable[str]:
    channels: dict[int, Channel] = {channel.number: channel for channel in plate.channels}
    waves = range(1, max(channels) + 1)
    yield f'"Waves", {_flag(has_waves(plate))}'
    yield f'"NWavelengths", {len(waves)}'
    for wave in waves:
        yield f'"WaveName{wave}", "{_storable(channels[wave].name) if wave in channels else ""}"'
    for wave in waves:
        yield f'"WaveCollect{wave}", {int(wave in channels)}'


def _storable(text: str) -> str:
    """Return a text as it is, or nothing where an HTD cannot hold it: it stands in the images' texts all the same."""
    whole = text.isprintable() and text == text.strip() and '"' not in text
    return text if whole and text.encode(_CODE_PAGE, errors="ignore").decode(_CODE_PAGE) == text else ""


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _flags(values: Iterable[bool]) -> str:
    return ", ".join(_flag(value) for value in values)


def metaseries_text(
    plate_properties: Properties, plane_properties: Properties, custom_properties: Properties
) -> bytes:
    """Return a MetaSeries text in ASCII: properties of the plate, of the plane, and those of the instrument."""
    lines = [
        "<MetaData>",
        *(_element("prop", *item) for item in plate_properties.items()),
        "<PlaneInfo>",
        *(_element("prop", *item) for item in plane_properties.items()),
        *(_element("custom-prop", *item) for item in custom_properties.items()),
        "</PlaneInfo>",
        "<SetInfo>",
        _element("prop", "number-of-planes", 1),
        "</SetInfo>",
        "</MetaData>",
        "",
    ]
    return "\n".join(lines).encode("ascii", errors="xmlcharrefreplace")


def _element(tag: str, name: str, value: str | float | bool) -> str:
    if isinstance(value, bool):
        kind, text = "bool", "on" if value else "off"
    elif isinstance(value, str):
        kind, text = "string", html.escape(value).replace("\r", "&#13;").replace("\n", "&#10;")
    elif isinstance(value, int):
        kind, text = "int", str(value)
    else:
        # The shortest text that is the same number again; a number of numpy's calls itself by its type.
        kind, text = "float", repr(float(value))
    return f'<{tag} id="{name}" type="{kind}" value="{text}"/>'
