"""The picture of a plate, as data: what a drawing shows, without any drawing library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from pathlib import Path

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import StorageError, UnknownNameError
from hcs_core.plate.inventory import Channel, Plate
from hcs_core.plate.opening import with_unreadable
from hcs_core.plate.plane_table import LACKING, PlaneState
from hcs_core.plate.thumbnails import Thumbnail, WellChannel, read_thumbnails, thumbnail_side
from hcs_core.plate.wells import plate_format
from hcs_core.plugins.manager import PluginManager

WRITER = "plate_picture"
"""The writer that draws a `PlatePicture`."""

LIMIT_PERCENTILES = (1.0, 99.8)
"""Which percentiles of a channel's thumbnails are black and white: dust and a few hot pixels shall not decide."""


class WellState(IntEnum):
    """What there is of a well, or of one channel of it."""

    WHOLE = 0
    LACKING = 1
    EMPTY = 2


@attrs.frozen(kw_only=True)
class PictureMark:
    """Planes of one site that are absent or unreadable: how many, and their one state."""

    well: str
    channel: int
    site: int
    state: PlaneState
    planes: int


@attrs.frozen(kw_only=True)
class PictureChannel:
    """How a channel is shown, in all wells alike.

    Attributes
    ----------
    number, name, wavelength_nm
        As in the plate's `Channel`.
    limits
        The grey values that are black and white; `None` where the channel has no thumbnail.
    um_per_pixel
        The side of a thumbnail's pixel in the sample; `None` where it is unknown, or not the same in all.
    """

    number: int
    name: str
    wavelength_nm: float | None = None
    limits: tuple[float, float] | None = None
    um_per_pixel: float | None = None


@attrs.frozen(kw_only=True, eq=False)
class PlatePicture:
    """What the writer `plate_picture` draws.

    Attributes
    ----------
    name, microscope
        As in the `Plate`.
    plate_format
        Rows and columns; no well lies beyond.
    channels
        The plate's channels, by number, with the limits of their contrast.
    limit_percentiles
        Which percentiles of the pixels of a channel's thumbnails those limits are.
    wells
        The state of every well that has planes, in their order on the plate; all others are `EMPTY`.
    states
        The state of each of these wells in each channel.
    thumbnails
        What is shown of a well and a channel; absent where nothing could be read.
    marks
        What is absent or unreadable, by well, channel, site and state.
    """

    name: str
    microscope: str
    plate_format: tuple[int, int]
    channels: tuple[PictureChannel, ...]
    limit_percentiles: tuple[float, float] = LIMIT_PERCENTILES
    wells: Mapping[str, WellState]
    states: Mapping[WellChannel, WellState]
    thumbnails: Mapping[WellChannel, Thumbnail]
    marks: tuple[PictureMark, ...]


def draw_plate(plate: Plate, path: Path, plugins: PluginManager) -> Plate:
    """Draw a plate into a file, through the writer that a plugin brings.

    Parameters
    ----------
    plate
        The plate; nothing is written into its folder.
    path
        The picture's file; one that is there is replaced.
    plugins
        Where the writer and the readers are registered.

    Returns
    -------
    Plate
        The plate, in which the planes that could not be read are `UNREADABLE`, each with a sentence among its
        differences.

    Raises
    ------
    UnknownNameError
        No plugin brings the writer.
    StorageError
        The file cannot be written, or lies within the plate.
    """
    write = picture_writer(path, plate.root, plugins)
    found = read_thumbnails(plate, plugins.readers, thumbnail_side(plate))
    plate = with_unreadable(plate, found.faults)
    try:
        write(plate_picture(plate, found.images), path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}): choose another file.") from error
    return plate


def picture_writer(path: Path, root: Path, plugins: PluginManager) -> Callable[[PlatePicture, Path], None]:
    """Return what draws a plate's picture into a file, once it is sure that the file may be written.

    Raises
    ------
    UnknownNameError
        No plugin brings the writer.
    StorageError
        The file has another ending than the writer's, lies within the plate, or its folder is not there.
    """
    if WRITER not in plugins.writers:
        raise UnknownNameError(
            f"no writer is called {WRITER!r}, which draws plates: pip install hcs-report (`hcs plugins` says whether "
            "it is there, disabled or failed)."
        )
    spec = plugins.writers.get(WRITER)
    if path.suffix.lower() != spec.suffix:
        raise StorageError(
            f"{path} does not end with {spec.suffix}: the picture is written in that format; name it so."
        )
    # Where its folder is, and where it points to if it is a link: neither may be in the plate.
    places = (path.parent.resolve() / path.name, path.resolve())
    if any(root.resolve() in place.parents for place in places):
        raise StorageError(
            f"{path} lies within the plate {root}: nothing is written into a plate; choose another file."
        )
    if path.is_dir():
        raise StorageError(f"{path} is a folder: give a file's name.")
    if not path.parent.is_dir():
        raise StorageError(f"{path} cannot be written: there is no folder {path.parent}; make it, or choose another.")
    write: Callable[[PlatePicture, Path], None] = plugins.writers.load(WRITER)
    return write


def plate_picture(plate: Plate, thumbnails: Mapping[WellChannel, Thumbnail]) -> PlatePicture:
    """Put together what the drawing of a plate shows, from its inventory and its thumbnails."""
    states = channel_states(plate)
    formats = (plate.plate_format, plate_format(plate.wells))
    rows, columns = (max(pair) for pair in zip(*formats, strict=True))
    return PlatePicture(
        name=plate.name,
        microscope=plate.microscope,
        plate_format=(rows, columns),
        channels=tuple(_shown(plate, channel, thumbnails) for channel in plate.channels),
        wells=well_states(plate),
        states=states,
        thumbnails=dict(thumbnails),
        marks=tuple(_marks(plate)),
    )


def channel_states(plate: Plate) -> dict[WellChannel, WellState]:
    """Return the state of each well that has planes, in each channel."""
    planes = plate.planes
    numbers = [channel.number for channel in plate.channels]
    shape = (len(planes.wells), max(numbers, default=0) + 1)
    present, absent = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for table, chosen in ((present, (PlaneState.PRESENT,)), (absent, LACKING)):
        rows = np.isin(planes.state, chosen)
        np.add.at(table, (planes.well[rows], planes.channel[rows]), 1)
    return {
        (planes.wells[index], number): _state(int(present[index, number]), int(absent[index, number]))
        for index in np.unique(planes.well).tolist()
        for number in numbers
    }


def well_states(plate: Plate) -> dict[str, WellState]:
    """Return the state of each well that has planes: `LACKING` where one is absent, of whatever channel."""
    by_well: dict[str, set[WellState]] = {}
    for (well, _), state in channel_states(plate).items():
        by_well.setdefault(well, set()).add(state)
    order = (WellState.LACKING, WellState.WHOLE, WellState.EMPTY)
    return {well: next(state for state in order if state in found) for well, found in by_well.items()}


def _state(present: int, absent: int) -> WellState:
    if absent:
        return WellState.LACKING
    return WellState.WHOLE if present else WellState.EMPTY


def _shown(plate: Plate, channel: Channel, thumbnails: Mapping[WellChannel, Thumbnail]) -> PictureChannel:
    own = [thumbnail for (_, number), thumbnail in thumbnails.items() if number == channel.number]
    scales = {(thumbnail.shape, thumbnail.block) for thumbnail in own}
    known = plate.pixel_size_um is not None and len(scales) == 1 and own[0].shape == plate.image_shape
    return PictureChannel(
        number=channel.number,
        name=channel.name,
        wavelength_nm=channel.wavelength_nm,
        limits=_limits(own),
        um_per_pixel=plate.pixel_size_um * own[0].block if known and plate.pixel_size_um else None,
    )


def _limits(thumbnails: Sequence[Thumbnail]) -> tuple[float, float] | None:
    """Return grey values that occur in the thumbnails, so that integers stay integers."""
    if not thumbnails:
        return None
    values = np.concatenate([thumbnail.pixels.ravel() for thumbnail in thumbnails])
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    black, white = LIMIT_PERCENTILES
    low, high = np.percentile(values, black, method="lower"), np.percentile(values, white, method="higher")
    return float(low), float(high)


def _marks(plate: Plate) -> Iterator[PictureMark]:
    planes = plate.planes
    rows = np.isin(planes.state, LACKING)
    columns = (planes.well, planes.channel, planes.site, planes.state)
    table: npt.NDArray[np.int64] = np.stack([column[rows].astype(np.int64) for column in columns], axis=1)
    for (well, channel, site, state), count in zip(*np.unique(table, axis=0, return_counts=True), strict=True):
        yield PictureMark(
            well=planes.wells[well],
            channel=int(channel),
            site=int(site),
            state=PlaneState(int(state)),
            planes=int(count),
        )
