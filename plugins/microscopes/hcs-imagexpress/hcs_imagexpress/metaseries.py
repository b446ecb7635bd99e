"""The MetaSeries text in the ImageDescription (tag 270) of MetaXpress' TIFF files.

It is XML of `<prop id= type= value=/>` and `<custom-prop .../>`, and in the wild not always valid (a `&#0`, a
missing end): the elements are picked out one by one, which reads valid and broken texts alike and expands no
entities but characters.
"""

from __future__ import annotations

import html
import math
import re
from datetime import UTC, datetime

from hcs_core import PlaneFacts, PlateError, SitePosition, canonical_well

_ELEMENT = re.compile(r"""<(?:custom-)?prop((?:\s+[\w-]+\s*=\s*(?:"[^"]*"|'[^']*'))+)""")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_LABEL = re.compile(r"\s*([A-Za-z]{1,2}[0-9]{1,2})\s*:\s*Site\s*([1-9][0-9]{0,4})\s*")
_TIME = re.compile(r"\s*([0-9]{8} [0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?\s*")
_MICROMETRES = {"um", "µm", "μm", "micron", "microns", "micrometer", "micrometers"}
"""With the micro sign and with the Greek letter: both are written."""


def parse_metaseries(text: str) -> PlaneFacts:
    """Return what a MetaSeries text says of its plane; any other text says nothing.

    Lengths are in um; the stage's +x is right and +y is down in the image. `time_s` is the time of the
    instrument's own clock, which names no zone, in seconds as if it were UTC. A projection is known by its
    "Z Projection Method"; only its absence in a MetaSeries text says that the plane is none.
    """
    properties = metaseries_properties(text)
    well, site = _label(properties.get("stage-label", ""))
    offset = _pair(properties, "OffsetFromWellCenterUmY", "OffsetFromWellCenterUmX")
    wavelength = _number(properties, "wavelength")
    return PlaneFacts(
        pixel_size_um=_pixel_size(properties),
        position=None if offset is None else SitePosition(y_um=offset[0], x_um=offset[1]),
        stage_yx_um=_pair(properties, "stage-position-y", "stage-position-x"),
        z_um=_number(properties, "z-position"),
        channel_name=properties.get("_IllumSetting_", "").strip() or None,
        # 0 stands for transmitted light.
        wavelength_nm=wavelength if wavelength is not None and wavelength > 0 else None,
        well=well,
        site=site,
        z_index=_count(properties, "Z Step"),
        timepoint=_count(properties, "Timepoint"),
        is_projection="Z Projection Method" in properties if properties else None,
        time_s=_seconds(properties.get("acquisition-time-local", "")),
        plane_id=properties.get("plane-guid", "").strip() or None,
    )


def metaseries_properties(text: str) -> dict[str, str]:
    """Return the values of all properties by their id, the first where one occurs twice."""
    properties: dict[str, str] = {}
    for element in _ELEMENT.finditer(text):
        attributes = {
            match[1]: html.unescape(match[2] or match[3] or "") for match in _ATTRIBUTE.finditer(element[1])
        }
        if "id" in attributes and "value" in attributes:
            properties.setdefault(attributes["id"], attributes["value"])
    return properties


def _number(properties: dict[str, str], key: str) -> float | None:
    try:
        number = float(properties[key])
    except (KeyError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _count(properties: dict[str, str], key: str) -> int | None:
    number = _number(properties, key)
    return int(number) if number is not None and number >= 1 and number == int(number) else None


def _pair(properties: dict[str, str], y_key: str, x_key: str) -> tuple[float, float] | None:
    y, x = _number(properties, y_key), _number(properties, x_key)
    return None if y is None or x is None else (y, x)


def _pixel_size(properties: dict[str, str]) -> float | None:
    size = _number(properties, "spatial-calibration-x")
    calibrated = properties.get("spatial-calibration-state", "").strip().lower() == "on"
    known_unit = properties.get("spatial-calibration-units", "").strip().lower() in _MICROMETRES
    return size if calibrated and known_unit and size is not None and size > 0 else None


def _label(label: str) -> tuple[str | None, int | None]:
    """Read `B02 : Site 1`."""
    match = _LABEL.fullmatch(label)
    if match is None:
        return None, None
    try:
        return canonical_well(match[1]), int(match[2])
    except PlateError:
        # `A00` is no well: the label says nothing then.
        return None, None


def _seconds(text: str) -> float | None:
    """Read `20240708 14:44:46.693`."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[1], "%Y%m%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() + float(match[2] or 0)
