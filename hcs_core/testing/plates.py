"""Plates made up for a test, without a folder or a file."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hcs_core.plate.inventory import Channel, Plate
from hcs_core.plate.plane_table import PlaneKind, PlaneState, PlaneTable
from hcs_core.plate.wells import plate_format

PlaneKey = tuple[str, int, int, int, int]
"""Well, site, channel, z_index and timepoint."""


def make_plate(
    *,
    wells: Sequence[str] = ("A01", "A02"),
    sites: Sequence[int] = (1,),
    channels: Sequence[str] = ("DAPI", "GFP"),
    z_indexes: Sequence[int] = (1,),
    timepoints: Sequence[int] = (1,),
    states: Mapping[PlaneKey, PlaneState] | None = None,
    without: Sequence[PlaneKey] = (),
    reader: str = "made_up",
    **metadata: Any,
) -> Plate:
    """Return the inventory of a plate with every combination of its components.

    Parameters
    ----------
    wells, sites, timepoints
        What there is of each.
    channels
        Names; numbers count from 1.
    z_indexes
        Planes with z_index 0 are projections.
    states
        The state of planes that are not present.
    without
        Planes that the inventory does not have at all.
    reader
        The name of the reader of every plane.
    **metadata
        Fields of `Plate`; by default planes are 64 x 48 uint16, with pixels of 0.5 um.

    Examples
    --------
    >>> from hcs_core.testing.plates import make_plate
    >>> plate = make_plate(wells=("A01", "B02"), sites=(1, 2), channels=("DAPI",))
    >>> len(plate.planes), plate.wells, plate.sites("B02")
    (4, ('A01', 'B02'), (1, 2))
    """
    known = dict(states or {})
    every = itertools.product(wells, sites, range(1, len(channels) + 1), z_indexes, timepoints)
    keys = [key for key in every if key not in set(without)]
    planes = PlaneTable.build(
        wells=tuple(wells),
        well=[list(wells).index(key[0]) for key in keys],
        site=[key[1] for key in keys],
        channel=[key[2] for key in keys],
        z_index=[key[3] for key in keys],
        timepoint=[key[4] for key in keys],
        kind=[PlaneKind.PROJECTION if key[3] == 0 else PlaneKind.ACQUIRED for key in keys],
        state=[known.get(key, PlaneState.PRESENT) for key in keys],
        uri=["{}_s{}_w{}_z{}_t{}.tif".format(*key) for key in keys],
        reader=reader,
    )
    unsaid: dict[str, Any] = {
        "name": "made_up",
        "root": Path("made_up"),
        "microscope": "made_up",
        "plate_format": plate_format(wells),
        "image_shape": (64, 48),
        "dtype": "uint16",
        "pixel_size_um": 0.5,
        "channels": tuple(Channel(number=number, name=name) for number, name in enumerate(channels, 1)),
    }
    return Plate(planes=planes, **(unsaid | metadata))
