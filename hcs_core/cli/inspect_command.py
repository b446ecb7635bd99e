"""`hcs inspect`: what a plate's folder holds, and where index, headers and files differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from hcs_core.cli.session import Session, print_json
from hcs_core.plate.detection import AUTO, detect
from hcs_core.plate.inventory import Plate
from hcs_core.plate.opening import inventory, with_positions
from hcs_core.plate.picture import WellState, draw_plate, well_states
from hcs_core.plate.plane_table import NO_PART, PlaneKind
from hcs_core.plate.reader import Readers
from hcs_core.plate.wells import row_name, summary

_MOST_DIFFERENCES = 40
_MARKS = {WellState.WHOLE: "#", WellState.LACKING: "!", WellState.EMPTY: "."}


@click.command(name="inspect")
@click.argument("plate", type=click.Path(path_type=Path))
@click.option("--microscope", default=AUTO, show_default=True, help="The microscope's name; auto asks the folder.")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Draw the plate into this file: a thumbnail of each well and channel, and what is absent.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-v", "--verbose", is_flag=True, help="Show all differences, and tracebacks of errors.")
@click.pass_obj
def inspect_command(
    session: Session, plate: Path, microscope: str, picture: Path | None, as_json: bool, verbose: bool
) -> None:
    """Say what PLATE holds: microscope, wells, sites, channels, z, time, pixel size, and what is wrong."""
    root, readers = plate.absolute(), Readers(session.plugins.readers)
    detected = detect(root, session.plugins, microscope)
    found = inventory(root, detected, readers)
    if picture is not None:
        click.echo("Reading a plane of each well and channel for the picture ...", err=True)
        found = draw_plate(found, picture, session.plugins)
    if as_json:
        print_json(plate_json(found) | ({"picture": str(picture)} if picture else {}))
    else:
        # One well's headers tell how its fields lie; those of a whole plate would take long.
        found = with_positions(found, detected, readers, found.wells[:1])
        _print(found, verbose)
        if picture is not None:
            click.echo(f"\nPicture: {picture}")


def plate_json(plate: Plate) -> dict[str, Any]:
    """Return what `hcs inspect --json` prints."""
    return {
        "plate": plate.name,
        "microscope": plate.microscope,
        "detected_by": plate.detected_by,
        "wells": list(plate.wells),
        "sites_per_well": {well: len(plate.sites(well)) for well in plate.wells},
        "channels": [
            {"channel": channel.number, "name": channel.name, "z_indexes": list(z_indexes), "projections": projected}
            for channel, (z_indexes, projected) in zip(plate.channels, z_of_channels(plate), strict=True)
        ],
        "z_indexes": list(plate.z_indexes),
        "timepoints": list(plate.timepoints),
        "pixel_size_um": plate.pixel_size_um,
        "z_step_um": plate.z_step_um,
        "time_step_s": plate.time_step_s,
        "image_shape": list(plate.image_shape) if plate.image_shape else None,
        "dtype": plate.dtype,
        "planes": plate.state_counts(),
        "projections": int(np.count_nonzero(plate.planes.kind)),
        "differences": list(plate.differences),
    }


def _print(plate: Plate, verbose: bool) -> None:
    rows, columns = plate.plate_format
    shape = " x ".join(map(str, plate.image_shape)) if plate.image_shape else "unknown"
    bits = f"{np.dtype(plate.dtype).itemsize * 8} bit ({plate.dtype})" if plate.dtype else "unknown"
    projections = int(np.count_nonzero(plate.planes.kind))
    lines = {
        "Plate": plate.name,
        "Microscope": f"{plate.microscope} ({plate.detected_by})",
        "Wells": f"{len(plate.wells)} of {rows * columns} ({rows} x {columns}): {summary(plate.wells)}",
        "Sites": _sites(plate),
        "Channels": ", ".join(
            f"{channel.number} {channel.name}" + (f" ({channel.wavelength_nm:g} nm)" if channel.wavelength_nm else "")
            for channel in plate.channels
        ),
        "z": _numbers(plate.z_indexes, plate.z_step_um, "um")
        + (f"; {projections:,} projections, used with --z 0 or of channels without slices" if projections else "")
        + _z_by_channel(plate),
        "Timepoints": _numbers(plate.timepoints, plate.time_step_s, "s"),
        "Image": f"{shape} pixels of {plate.pixel_size_um:g} um"
        if plate.pixel_size_um
        else f"{shape} pixels of unknown size",
        "Bit depth": bits,
        "Planes": ", ".join(
            f"{count:,} {word.replace('_', ' ')}" for word, count in plate.state_counts().items() if count
        ),
    }
    width = max(map(len, lines))
    for name, text in lines.items():
        click.echo(f"{name + ':':<{width + 1}} {text}")
    _print_map(plate)
    _print_differences(plate, verbose)


def _numbers(values: tuple[int, ...], step: float | None, unit: str) -> str:
    if len(values) <= 1:
        return ", ".join(map(str, values)) or "none"
    gaps = "" if values[-1] - values[0] + 1 == len(values) else " with gaps"
    spacing = f", {step:g} {unit} apart" if step else f", at an unknown distance in {unit}"
    return f"{len(values)} ({values[0]} to {values[-1]}{gaps}){spacing}"


def z_of_channels(plate: Plate) -> list[tuple[tuple[int, ...], bool]]:
    """Return the z_indexes that each channel has anywhere on the plate, and whether it has projections."""
    planes = plate.planes
    part = ~np.isin(planes.state, NO_PART)
    acquired = planes.kind == PlaneKind.ACQUIRED
    found = []
    for channel in plate.channels:
        own = part & (planes.channel == channel.number)
        found.append((tuple(np.unique(planes.z_index[own & acquired]).tolist()), bool((own & ~acquired).any())))
    return found


def _z_by_channel(plate: Plate) -> str:
    """Return what each channel has along z, where they differ."""
    found = z_of_channels(plate)
    if len({z_indexes for z_indexes, _ in found}) <= 1:
        return ""
    texts = [
        f"{channel.name} {f'{len(z_indexes)} z' if z_indexes else 'projections only'}"
        for channel, (z_indexes, _) in zip(plate.channels, found, strict=True)
    ]
    return f"; by channel: {', '.join(texts)}"


def _sites(plate: Plate) -> str:
    counts = {len(plate.sites(well)) for well in plate.wells}
    text = f"{min(counts)} to {max(counts)} a well" if len(counts) > 1 else f"{counts.pop()} a well"
    if plate.site_grid:
        grid = plate.site_grid
        high, wide = (max(place[axis] for place in grid.values()) + 1 for axis in (0, 1))
        rows = [
            " ".join(
                next((str(site) for site, place in grid.items() if place == (row, column)), ".")
                for column in range(wide)
            )
            for row in range(high)
        ]
        text += f", {high} x {wide}: " + " / ".join(rows)
    here = {site: place for (well, site), place in plate.positions.items() if well == plate.wells[0]}
    if len(here) > 1:
        text += f"; {plate.wells[0]} (y, x) um: " + ", ".join(
            f"{site} ({place.y_um:.1f}, {place.x_um:.1f})" for site, place in list(here.items())[:9]
        )
    return text


def _print_map(plate: Plate) -> None:
    """Draw the wells: `#` has all its planes, `!` lacks some, `.` has none."""
    rows, columns = plate.plate_format
    if rows * columns == 1:
        return
    states = well_states(plate)
    click.echo(f"\n    {' '.join(f'{column + 1:>2}' for column in range(columns))}")
    for row in range(rows):
        marks = []
        for column in range(columns):
            well = f"{row_name(row)}{column + 1:02d}"
            marks.append(_MARKS[states.get(well, WellState.EMPTY)])
        click.echo(f"{row_name(row):>3}  {'  '.join(marks)}")
    click.echo("    # all planes there   ! some absent   . no image")


def _print_differences(plate: Plate, verbose: bool) -> None:
    if not plate.differences:
        click.echo("\nIndex, headers and files agree.")
        return
    click.echo(f"\nDifferences ({len(plate.differences)}):")
    most = len(plate.differences) if verbose else _MOST_DIFFERENCES
    for text in plate.differences[:most]:
        click.echo(f"  - {text}")
    if len(plate.differences) > most:
        click.echo(f"  ... and {len(plate.differences) - most} more; -v shows all.")
