"""The index of a store, `index.json`: what its files share, and the wells that are finished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcs_core import MOSAIC, FinishedWell, ImageLayout, StorageError, StoreLayout, parse_well
from hcs_disk.ome import Position
from hcs_disk.places import INDEX, replace_file

VERSION = 1

Json = dict[str, Any]


def listed_wells(root: Path) -> dict[str, Json]:
    """Return the finished wells by name, each with its `sites`; none where there is no index.

    Raises
    ------
    StorageError
        There is an index that cannot be read, or that a later version wrote.
    """
    path = root / INDEX
    try:
        document = json.loads(path.read_bytes())
        version, wells = document["version"], dict(document["wells"])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}): choose another output folder.") from error
    except (ValueError, TypeError, LookupError) as error:
        raise StorageError(f"{path} is damaged ({error!r}): remove the store, or write to another one.") from error
    if version != VERSION:
        raise StorageError(f"{path} is of version {version}, {VERSION} is known here: update hcs-disk.")
    return wells


def write_index(root: Path, layout: StoreLayout, wells: Mapping[str, Json]) -> None:
    """Write the index of these wells, at once.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    document = {
        "version": VERSION,
        "plate": layout.plate_name,
        "rows": layout.plate_format[0],
        "columns": layout.plate_format[1],
        **({} if layout.image is None else {"shape_tczyx": layout.image.shape, **_image(layout.image)}),
        # Rows and columns of a mosaic stand with its well.
        **(
            {}
            if layout.mosaic is None
            else {"mosaic": {"shape_tcz": layout.mosaic.shape[:3], **_image(layout.mosaic)}}
        ),
        "wells": {well: wells[well] for well in sorted(wells, key=parse_well)},
    }
    replace_file(root / INDEX, json.dumps(document, ensure_ascii=False).encode())


def _image(image: ImageLayout) -> Json:
    """Return what the index says of all sites' images, or of all mosaics, beside their shape."""
    return {
        "dtype": image.dtype,
        "pixel_size_um": image.pixel_size_um,
        "z_step_um": image.z_step_um,
        "time_step_s": image.time_step_s,
        "channels": [
            {"w": number, "name": channel.name, "colour": channel.colour}
            for number, channel in enumerate(image.channels, 1)
        ],
    }


def well_entry(finished: FinishedWell, positions: Mapping[int, Position]) -> Json:
    """Return what the index says of a well: its sites and mosaic with their centres, display windows, and size."""
    sites = []
    for site in finished.sites:
        y, x = positions.get(site, (None, None))
        sites.append({"site": site, "y_um": y, "x_um": x})
    entry = {"sites": sites, "windows": finished.summary.windows, "bytes": finished.summary.bytes_written}
    if finished.mosaic is not None:
        y, x = positions.get(MOSAIC, (None, None))
        entry["mosaic"] = {
            "shape_yx": finished.mosaic,
            "y_um": y,
            "x_um": x,
            "windows": finished.summary.mosaic_windows,
        }
    return entry


def centres(layout: StoreLayout, finished: FinishedWell) -> dict[int, Position]:
    """Return (y, x) in um of the centre of each site, and of the mosaic (`MOSAIC`), from the well's, where known.

    Translations are those of the first pixel's centre: without a pixel size, that of the image is not known.
    """
    first = dict(finished.translations)
    if finished.mosaic_translation is not None:
        first[MOSAIC] = finished.mosaic_translation
    found = {}
    for site, (y, x) in first.items():
        image = layout.layout_of(site, finished.mosaic)
        if image is not None and image.pixel_size_um is not None:
            height, width = image.shape[3:]
            pixel = image.pixel_size_um
            found[site] = (float(y) + (height - 1) / 2 * pixel, float(x) + (width - 1) / 2 * pixel)
    return found
