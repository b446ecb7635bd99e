"""Writes plates as MetaXpress exports them, for tests and demonstrations.

The same description and pixels give the same bytes: dates, stage centres and identities are fixed, or derived
from the description.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import attrs
import numpy as np
import tifffile

from hcs_core import Channel, ParsedName, PlaneSource, PlateDescription, PlateError, parse_well
from hcs_imagexpress.names import MetaXpressParser
from hcs_imagexpress.texts import Properties, has_sites, has_stack, has_waves, htd_text, metaseries_text

_A1_UM = {96: (11_240.0, 14_380.0), 384: (8_990.0, 12_130.0), 1_536: (7_865.0, 11_005.0)}
"""(y, x) of the centre of well A1 from the plate's corner, by the most wells of a plate (ANSI SLAS 4-2004)."""

_PITCH_UM = {96: 9_000.0, 384: 4_500.0, 1_536: 2_250.0}
_FOCUS_UM = 10_000.0
_START = datetime(2026, 1, 5, 9, 0, 0, tzinfo=UTC)
_SECONDS_A_PLANE = 0.25
_NAMESPACE = uuid.UUID("5bd6b8a5-6b3e-4cf0-9c39-3a7b6f6d2a10")


@attrs.frozen(kw_only=True)
class _PlaneToWrite:
    """A plane of the description, its path, and when it is taken."""

    well: str
    site: int
    channel: Channel
    z_index: int
    timepoint: int
    path: str
    taken: datetime


class MetaXpressLayoutWriter:
    """A `LayoutWriter`: `<name>/<name>.HTD`, its copies, and `.TIF` files with MetaSeries texts.

    As in real exports there is no `ZStep_` folder where there is one z_index, no `_s` where there is one site,
    and no `_w` where there is one channel. The HTD holds only what its code page (cp1252) can: a channel's name
    beyond that stands in the images' texts alone.
    """

    def write(self, folder: Path, description: PlateDescription, image: PlaneSource) -> Path:
        """Write the plate as a new folder inside `folder` and return it.

        Raises
        ------
        PlateError
            The folder is already there, `image` gives another shape or dtype than the description says, or the
            layout cannot hold what is described: sites that are not numbered in reading order, wells or names
            that no file name can hold.
        """
        _refuse_other_numbering(description)
        planes = list(_planes(description))
        root = folder / description.name
        if root.exists():
            raise PlateError(f"{root} is already there: remove it, or write the plate somewhere else.")
        htd = htd_text(description, str(uuid.uuid5(_NAMESPACE, description.name)))
        for path in _folders(description):
            (root / path).mkdir(parents=True)
            (root / path / f"{description.name}.HTD").write_bytes(htd)
        for plane in planes:
            _write_image(root, description, plane, image)
        return root


def _refuse_other_numbering(plate: PlateDescription) -> None:
    """Refuse what an HTD cannot say: sites have no numbers there, only selected cells."""
    cells = sorted(plate.site_grid.values())
    if not cells or dict(enumerate(cells, start=1)) != dict(plate.site_grid) or len(set(cells)) != len(cells):
        raise PlateError(
            f"{plate.name} cannot be written as MetaXpress does: its sites are not numbered 1, 2, ... in reading "
            f"order of different cells ({dict(plate.site_grid)})."
        )


def _folders(plate: PlateDescription) -> Iterator[str]:
    """Yield the folders that get a copy of the HTD, the outer before the inner."""
    yield ""
    for timepoint in plate.timepoints:
        yield f"TimePoint_{timepoint}"
        if has_stack(plate):
            yield from (f"TimePoint_{timepoint}/ZStep_{z_index}" for z_index in plate.z_indexes)


def _planes(plate: PlateDescription) -> Iterator[_PlaneToWrite]:
    parser = MetaXpressParser()
    for timepoint in plate.timepoints:
        since = timedelta(seconds=(timepoint - min(plate.timepoints)) * plate.time_step_s)
        within = product(plate.wells, plate.site_grid, plate.channels, plate.z_indexes)
        for order, (well, site, channel, z_index) in enumerate(within):
            name = ParsedName(
                plate=plate.name,
                well=well,
                site=site if has_sites(plate) else None,
                channel=channel.number if has_waves(plate) else None,
                z_index=z_index if has_stack(plate) else None,
                timepoint=timepoint,
            )
            yield _PlaneToWrite(
                well=well,
                site=site,
                channel=channel,
                z_index=z_index,
                timepoint=timepoint,
                path=parser.construct_filename(name),
                taken=_START + since + timedelta(seconds=order * _SECONDS_A_PLANE),
            )


def _write_image(root: Path, plate: PlateDescription, plane: _PlaneToWrite, image: PlaneSource) -> None:
    pixels = image(plane.well, plane.site, plane.channel.number, plane.z_index, plane.timepoint)
    if pixels.shape != plate.image_shape or pixels.dtype != np.dtype(plate.dtype):
        raise PlateError(
            f"{plane.path} of {plate.name} cannot be written: its pixels are {pixels.dtype} of shape {pixels.shape}, "
            f"the description says {plate.dtype} of shape {plate.image_shape}."
        )
    tifffile.imwrite(
        root / plane.path,
        pixels,
        photometric="minisblack",
        description=_text(plate, plane),
        software="MetaSeries",
        datetime=plane.taken,
        # Else tifffile adds a description of its own.
        metadata=None,
    )


def _clock(moment: datetime) -> str:
    """Write a time as MetaSeries does: `20240708 14:44:46.693`."""
    return f"{moment:%Y%m%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _text(plate: PlateDescription, plane: _PlaneToWrite) -> bytes:
    """Return the MetaSeries text of a plane."""
    height, width = plate.image_shape
    place, custom = _place_properties(plate, plane)
    return metaseries_text(
        {
            "Description": f"Plate Name: {plate.name}\r\nExposure: 100 ms",
            "MetaDataVersion": 1.0,
            "ApplicationName": "MetaMorph",
        },
        {
            "plane-type": "plane",
            "pixel-size-x": width,
            "pixel-size-y": height,
            "bits-per-pixel": np.dtype(plate.dtype).itemsize * 8,
            "spatial-calibration-state": True,
            "spatial-calibration-x": float(plate.pixel_size_um),
            "spatial-calibration-y": float(plate.pixel_size_um),
            "spatial-calibration-units": "um",
            "image-name": plane.channel.name,
            "plane-guid": f"{{{str(uuid.uuid5(_NAMESPACE, f'{plate.name}/{plane.path}')).upper()}}}",
            "acquisition-time-local": _clock(plane.taken),
            "z-position": _FOCUS_UM + (plane.z_index - 1) * plate.z_step_um,
            "wavelength": plane.channel.wavelength_nm or 0,
            "_IllumSetting_": plane.channel.name,
            **place,
        },
        custom,
    )


def _place_properties(plate: PlateDescription, plane: _PlaneToWrite) -> tuple[Properties, Properties]:
    """Return the plane's own, and the instrument's, properties of where it lies."""
    place: Properties = {"stage-label": f"{plane.well} : Site {plane.site}"}
    row, column = plate.site_grid[plane.site]
    custom: Properties = {"SiteX": column + 1, "SiteY": row + 1}
    position = plate.positions.get((plane.well, plane.site))
    if position is not None:
        centre_y, centre_x = _well_centre(plate, plane.well)
        place |= {"stage-position-x": centre_x + position.x_um, "stage-position-y": centre_y + position.y_um}
        custom |= {
            "OffsetFromWellCenterUmX": float(position.x_um),
            "OffsetFromWellCenterUmY": float(position.y_um),
        }
    if has_stack(plate):
        custom["Z Step"] = plane.z_index
    if len(plate.timepoints) > 1:
        custom["Timepoint"] = plane.timepoint
    return place, custom


def _well_centre(plate: PlateDescription, well: str) -> tuple[float, float]:
    """Return (y, x) in um of a well's centre from the plate's corner; plates of fewer wells are taken as of 96."""
    rows, columns = plate.plate_format
    usual = min((wells for wells in _PITCH_UM if wells >= rows * columns), default=max(_PITCH_UM))
    (a1_y, a1_x), pitch = _A1_UM[usual], _PITCH_UM[usual]
    row, column = parse_well(well)
    return a1_y + row * pitch, a1_x + column * pitch
