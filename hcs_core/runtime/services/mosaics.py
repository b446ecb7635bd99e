"""Mosaics of a well's images, made on their own: read, fused and written one after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.arrays.image_artifact import ImageArtifact
from hcs_core.arrays.positions_table import read_positions
from hcs_core.errors import PlateError, RunError
from hcs_core.plate.wells import parse_well, summary
from hcs_core.runtime.artifacts.image_files import write_image
from hcs_core.runtime.output_folder import prepare_folder
from hcs_core.runtime.services.well_images import WellImages
from hcs_core.runtime.stitcher import checked_parameters, new_stitcher

WRITER = "tiff"
"""The writer of mosaics."""


@attrs.frozen(kw_only=True, eq=False)
class TileLayout:
    """Where tiles go: (y, x) pixels from the mosaic's first, by site, and the mosaic's shape."""

    positions: Mapping[int, npt.NDArray[np.float64]]
    shape: tuple[int, int]


def write_mosaics(
    source: WellImages, folder: Path, positions_file: Path, parameters: Mapping[str, Any]
) -> tuple[Path, ...]:
    """Make and write every mosaic of a well; see `PlateServices.stitch_images`."""
    spec = source.spec
    told = checked_parameters(spec.name, spec.fusion, parameters)
    layout = tile_layout(source, positions_file)
    write = source.plugins.writers.load(WRITER)
    prepare_folder(folder, source.plate.root, source.output)
    names = {channel.number: channel.name for channel in source.plate.channels}
    files = []
    for place in sorted({image.place for image in source.images}):
        channel, z_index, timepoint = place
        file = folder / f"{source.well}_stitched_w{channel}_z{z_index}_t{timepoint}.tif"
        images = [image for image in source.images if image.place == place]
        positions = np.array([layout.positions[image.site] for image in images])
        tiles = (source.read(image) for image in images)
        mosaic = new_stitcher(source.plugins, spec.name).fuse(tiles, positions, layout.shape, **told)
        if mosaic.shape != layout.shape:
            raise RunError(f"the stitcher {spec.name!r} gave a mosaic of {mosaic.shape} for one of {layout.shape}.")
        artifact = ImageArtifact(
            pixels=mosaic, pixel_size_um=source.pixel_size_um, channel=names.get(channel, f"channel{channel}")
        )
        write_image(write, artifact, file)
        files.append(file)
    return tuple(files)


def tile_layout(source: WellImages, positions_file: Path) -> TileLayout:
    """Return the layout that a file of positions asks for; it is the same whichever of the sites have images.

    Its first pixel is (0, 0) of the positions, or the whole pixel at or before those that are below 0; it ends with
    the last tile, at the nearest whole pixel.

    Raises
    ------
    PlateError
        The file is of another plate, or lacks the well or one of its sites.
    """
    table = read_positions(positions_file)
    plates = sorted(set(table["Metadata_Plate"].tolist()))
    if plates != [source.plate.name]:
        raise PlateError(
            f"{positions_file} has positions of {', '.join(plates)}, not of {source.plate.name}: make them with "
            "generate_positions."
        )
    wells = sorted(set(table["Metadata_Well"].tolist()), key=parse_well)
    rows = np.flatnonzero(table["Metadata_Well"] == source.well)
    if not rows.size:
        raise PlateError(f"{positions_file} has no positions of {source.well}; it has {summary(wells)}.")
    sites = table["Metadata_Site"][rows].tolist()
    lacking = [str(site) for site in source.sites if site not in sites]
    if lacking:
        raise PlateError(
            f"{positions_file} has no position of site {', '.join(lacking)} of {source.well}, which has images in "
            f"{source.folder}: make the positions anew, or add the row."
        )
    yx = np.stack([table["y_px"][rows], table["x_px"][rows]], axis=1)
    yx = yx - np.floor(np.minimum(yx.min(axis=0), 0.0))
    last = np.floor(yx.max(axis=0) + 0.5).tolist()
    height, width = (math.trunc(start) + length for start, length in zip(last, source.shape, strict=True))
    return TileLayout(positions=dict(zip(sites, yx, strict=True)), shape=(height, width))
