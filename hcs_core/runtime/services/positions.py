"""Positions of a well's sites, found on their own: by a stitcher, from the stage and from images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hcs_core.arrays.positions_table import positions_csv, positions_table
from hcs_core.arrays.table import Table
from hcs_core.errors import PlateError, RunError, did_you_mean
from hcs_core.plate.nominal_positions import nominal_positions
from hcs_core.runtime.output_folder import prepare_folder
from hcs_core.runtime.services.well_images import WellImages
from hcs_core.runtime.stitcher import Tile, checked_parameters, new_stitcher
from hcs_core.runtime.whole_files import write_whole


def write_positions(
    source: WellImages, folder: Path, channel: str | int | None, parameters: Mapping[str, Any]
) -> tuple[Path, Table]:
    """Find the positions of a well's sites, and write them; see `PlateServices.generate_positions`."""
    plate, well, spec = source.plate, source.well, source.spec
    told = checked_parameters(spec.name, spec.positions, parameters)
    number = reference_channel(source, channel)
    nominal = nominal_positions(plate, well, source.sites, source.pixel_size_um)
    prepare_folder(folder, plate.root, source.output)
    found = new_stitcher(source.plugins, spec.name).positions(_tiles(source, number), nominal, **told)
    if len(found.yx) != len(source.sites):
        raise RunError(f"the stitcher {spec.name!r} gave {len(found.yx)} positions of {len(source.sites)} sites.")
    table = positions_table(plate.name, well, source.sites, found.yx - found.yx.min(axis=0), found.confidence)
    file = folder / f"{well}_positions.csv"
    write_whole(file, positions_csv(table))
    return file, table


def reference_channel(source: WellImages, channel: str | int | None) -> int:
    """Return the number of the channel that is meant, by its name first; the first that has images, if none is.

    Raises
    ------
    PlateError
        The well has no image of it here.
    """
    there = sorted({image.channel for image in source.images})
    if channel is None:
        return there[0]
    names = {known.name: known.number for known in source.plate.channels if known.number in there}
    for number in there:
        if names.get(str(channel), channel) == number or (channel not in names and str(channel) == str(number)):
            return number
    raise PlateError(
        f"{source.folder} has no image of {source.well} in channel {channel!r}.{did_you_mean(str(channel), names)} "
        f"There are {', '.join(names) or ', '.join(map(str, there))}."
    )


def _tiles(source: WellImages, channel: int) -> list[Tile]:
    """Return what gives the reference plane of each site."""
    images = [image for image in source.images if image.channel == channel]
    timepoint = min(image.timepoint for image in images)
    z_indexes = sorted({image.z_index for image in images if image.timepoint == timepoint})
    # Acquired planes come before projections, which are z_index 0.
    slices = [z_index for z_index in z_indexes if z_index] or z_indexes
    place = (channel, slices[len(slices) // 2], timepoint)
    of_site = {image.site: image for image in images if image.place == place}
    return [
        partial(source.read, of_site[site]) if site in of_site else partial(_absent, source, site, place)
        for site in source.sites
    ]


def _absent(source: WellImages, site: int, place: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    channel, z_index, timepoint = place
    raise PlateError(
        f"{source.folder} has no image of {source.well}, site {site}, in channel {channel}, z_index {z_index}, "
        f"timepoint {timepoint}, which the stitcher {source.spec.name!r} compares: choose another channel."
    )
