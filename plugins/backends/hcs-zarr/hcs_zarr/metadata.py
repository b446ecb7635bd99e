"""The OME metadata of plates, wells and images: OME-Zarr (NGFF) versions 0.4 and 0.5, as plain JSON values.

The two say the same; 0.5 states its version once for a group, 0.4 within what it describes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from hcs_core import MOSAIC, FinishedWell, ImageLayout, StoreLayout, row_name
from hcs_zarr import pyramid
from hcs_zarr.documents import AXES
from hcs_zarr.formats import OME_ZARR_0_5, Json
from hcs_zarr.places import column_name, image_name, well_path

Place = tuple[int, int]
"""A well's 0-based row and column."""


def plate_metadata(layout: StoreLayout, places: Iterable[Place], field_count: int) -> Json:
    """Return a plate's metadata: all its physical rows and columns, and the wells at `places`.

    `field_count` is the largest number of images in a listed well; `maximumfieldcount` what was planned.
    """
    rows, columns = layout.plate_format
    return {
        **_group_version(layout),
        "plate": {
            "name": layout.plate_name,
            # The text of 0.5 asks for it here too, its schema does not: all readers accept it.
            "version": layout.ome_zarr_version,
            "rows": [{"name": row_name(row)} for row in range(rows)],
            "columns": [{"name": column_name(column)} for column in range(columns)],
            "wells": [listed_well(place) for place in sorted(places)],
            "acquisitions": [
                {"id": 0, "name": layout.plate_name, "maximumfieldcount": max(layout.field_count, field_count)}
            ],
            "field_count": field_count,
        },
    }


def listed_well(place: Place) -> Json:
    """Return how a plate's metadata list a well."""
    row, column = place
    return {"path": f"{row_name(row)}/{column_name(column)}", "rowIndex": row, "columnIndex": column}


def listed_places(ome: Json) -> set[Place]:
    """Return the wells that a plate's metadata lists; none where there is no such metadata."""
    return {(well["rowIndex"], well["columnIndex"]) for well in ome.get("plate", {}).get("wells", ())}


def _group_version(layout: StoreLayout) -> Json:
    return {"version": layout.ome_zarr_version} if layout.ome_zarr_version == OME_ZARR_0_5.version else {}


def well_metadata(layout: StoreLayout, sites: Iterable[int]) -> Json:
    """Return a well's metadata: the images of its sites (`MOSAIC` among them), all of the one acquisition."""
    images = [{"path": image_name(site), "acquisition": 0} for site in sites]
    return {**_group_version(layout), "well": {"images": images, "version": layout.ome_zarr_version}}


def image_metadata(layout: StoreLayout, image: ImageLayout, finished: FinishedWell, site: int) -> Json:
    """Return the metadata of a site's image, or of the mosaic: its pyramid, and how to show its channels if asked to.

    `image` is its layout in the store.
    """
    levels = range(len(image.level_shapes))
    placed, origin = _place(image, finished, site)
    multiscale: Json = {
        "name": f"{well_path(finished.well)}/{image_name(site)}",
        "axes": _axes(image),
        "datasets": [
            {"path": str(level), "coordinateTransformations": _transformations(image, level, origin, placed=placed)}
            for level in levels
        ],
    }
    if layout.ome_zarr_version != OME_ZARR_0_5.version:
        multiscale["version"] = layout.ome_zarr_version
    ome: Json = {**_group_version(layout), "multiscales": [multiscale]}
    if layout.image_metadata:
        if len(levels) > 1:
            multiscale["type"] = "mean"
            multiscale["metadata"] = {
                "description": pyramid.METHOD,
                "method": "hcs_zarr.pyramid.half",
                "version": _own_version(),
            }
        windows = finished.summary.mosaic_windows if site == MOSAIC else finished.summary.windows
        ome["omero"] = _omero(image, windows)
    return ome


@functools.cache
def _own_version() -> str:
    return version("hcs-zarr")


def _place(image: ImageLayout, finished: FinishedWell, site: int) -> tuple[bool, tuple[float, float]]:
    """Return whether an image is placed in its well, and where: at 0 where others of its kind are and it is not."""
    # Positions are in um: beside pixels of unknown size they would be numbers without a unit, and wrong.
    if image.pixel_size_um is None:
        return False, (0.0, 0.0)
    if site == MOSAIC:
        where = finished.mosaic_translation
        return where is not None, where or (0.0, 0.0)
    return bool(finished.translations), finished.translations.get(site, (0.0, 0.0))


def _axes(image: ImageLayout) -> list[Json]:
    known = {
        "t": ("time", "second" if image.time_step_s is not None else None),
        "c": ("channel", None),
        "z": ("space", "micrometer" if image.z_step_um is not None else None),
        "y": ("space", "micrometer" if image.pixel_size_um is not None else None),
        "x": ("space", "micrometer" if image.pixel_size_um is not None else None),
    }
    axes = []
    for name in AXES:
        kind, unit = known[name]
        axes.append({"name": name, "type": kind} | ({"unit": unit} if unit else {}))
    return axes


def _transformations(
    image: ImageLayout, level: int, origin: tuple[float, float], *, placed: bool
) -> list[Mapping[str, Any]]:
    """Return a level's scale and translation.

    A pixel of level i covers 2^i pixels of the full level, so that the first one's centre lies
    (2^i - 1) / 2 full pixels further in.
    """
    pixel = 1.0 if image.pixel_size_um is None else image.pixel_size_um
    z_step = 1.0 if image.z_step_um is None else image.z_step_um
    time_step = 1.0 if image.time_step_s is None else image.time_step_s
    factor = 2**level
    result: list[Mapping[str, Any]] = [
        {"type": "scale", "scale": [time_step, 1.0, z_step, factor * pixel, factor * pixel]}
    ]
    if placed or level:
        y, x = (float(start) + (factor - 1) / 2 * pixel for start in origin)
        result.append({"type": "translation", "translation": [0.0, 0.0, 0.0, y, x]})
    return result


def _omero(image: ImageLayout, windows: tuple[tuple[float, float], ...]) -> Json:
    dtype = np.dtype(image.dtype)
    channels = []
    for index, channel in enumerate(image.channels):
        lowest, highest = _range(dtype)
        start, end = windows[index] if windows else (lowest, highest)
        channels.append(
            {
                "label": channel.name,
                "color": channel.colour,
                "active": True,
                "window": {
                    "min": min(lowest, start) if dtype.kind in "iub" else start,
                    "max": max(highest, end) if dtype.kind in "iub" else end,
                    "start": start,
                    "end": end,
                },
            }
        )
    return {
        "channels": channels,
        "rdefs": {
            "defaultT": 0,
            "defaultZ": image.shape[2] // 2,
            "model": "color" if len(channels) > 1 else "greyscale",
        },
    }


def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return float(limits.min), float(limits.max)
    return 0.0, 1.0
