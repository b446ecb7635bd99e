"""What a synthetic plate is made from: its settings, checked, and what follows from them alone."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np

from hcs_core import PlateError, canonical_well, parse_well
from hcs_synthetic.camera import Camera

BACKGROUND = 45.0
"""Light without any cell, in grey values of a 16-bit camera."""

_LAST_WELL = "AF48"
_LARGEST_SEED = 2**32 - 1
_IN_NO_NAME = frozenset('/\\:*?"<>|')


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def well_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the name of a well, or of several, as they are written here."""
    return tuple(canonical_well(name) for name in _names(names))


def _whole(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(operator.index(number) for number in numbers)


def _number(low: float, high: float) -> Any:
    return attrs.validators.and_(attrs.validators.ge(low), attrs.validators.le(high))


def _check_name(_settings: Any, _attribute: Any, name: str) -> None:
    """Refuse what some file system cannot keep as a folder's name; spaces, `#` and letters of any script are fine."""
    bare = name.strip(" .")
    if not bare or bare != name or not name.isprintable() or not _IN_NO_NAME.isdisjoint(name):
        raise ValueError(
            f"name={name!r}: expected a name that a folder can have, without {' '.join(sorted(_IN_NO_NAME))} and "
            "without a dot or space at its ends."
        )


@attrs.frozen(kw_only=True)
class PlateSettings:
    """What a synthetic plate is made from; lengths are in micrometres unless a name says otherwise.

    Attributes
    ----------
    name
        The plate's name, and its folder's.
    wells
        Their names, to `AF48`.
    grid
        Rows and columns of fields in a well; site 1 is the upper left, counting along rows.
    overlap
        The part of a field's height and width that the next field shows too, by the nominal positions.
    image_shape, dtype
        Rows and columns of an image; `uint8` or `uint16`.
    channels
        Their names. The first shows nuclei, the second whole cells, the third vesicles, and so on in turn.
    z_count, z_step_um
        Planes of a stack, and their distance; the stack's middle is at focus 0.
    timepoint_count, time_step_s
        Timepoints, and seconds between them; cells drift a little from each to the next.
    pixel_size_um
        The side of a pixel in the sample.
    seed
        Another seed makes another plate of the same description; 0 to 2**32 - 1.
    cells_per_field
        How many cells a field holds on average.
    stage_error_px
        The error of the stage in y and in x, as root mean square in pixels: true minus nominal position.
    whole_pixel_stage_error
        Round the errors to whole pixels, so that overlapping fields show identical noise-free pixels.
    shading
        How uneven the illumination is: `(max - min) / max` of its field, 0 to 1.
    camera_offset
        The grey value of no light; 100, or 8 for uint8.
    photon_noise, read_noise
        Whether the camera has any.

    Raises
    ------
    ValueError
        A value is out of its limits.
    hcs_core.PlateError
        There is no well, or one has no well's name, is beyond `AF48`, or stands there twice.
    """

    name: str = attrs.field(default="synthetic", validator=[attrs.validators.instance_of(str), _check_name])
    wells: tuple[str, ...] = attrs.field(default=("A01",), converter=well_names)
    grid: tuple[int, int] = attrs.field(default=(2, 2), converter=_whole)
    overlap: float = attrs.field(default=0.1, validator=_number(0.0, 0.9))
    image_shape: tuple[int, int] = attrs.field(default=(512, 512), converter=_whole)
    dtype: str = attrs.field(default="uint16", validator=attrs.validators.in_(("uint8", "uint16")))
    channels: tuple[str, ...] = attrs.field(default=("DAPI", "GFP"), converter=_names)
    z_count: int = attrs.field(default=1, converter=operator.index, validator=_number(1, 10_000))
    z_step_um: float = attrs.field(default=4.0, validator=attrs.validators.gt(0.0))
    timepoint_count: int = attrs.field(default=1, converter=operator.index, validator=_number(1, 10_000))
    time_step_s: float = attrs.field(default=600.0, validator=attrs.validators.gt(0.0))
    pixel_size_um: float = attrs.field(default=0.65, validator=attrs.validators.gt(0.0))
    seed: int = attrs.field(default=1, converter=operator.index, validator=_number(0, _LARGEST_SEED))
    cells_per_field: float = attrs.field(default=30.0, converter=float, validator=attrs.validators.ge(0))
    stage_error_px: float = attrs.field(default=0.0, validator=attrs.validators.ge(0.0))
    whole_pixel_stage_error: bool = False
    shading: float = attrs.field(default=0.25, validator=_number(0.0, 1.0))
    camera_offset: int = attrs.field(converter=operator.index, validator=_number(0, 10_000))
    photon_noise: bool = True
    read_noise: bool = True

    @camera_offset.default
    def _camera_offset(self) -> int:
        return 100 if self.dtype == "uint16" else 8

    @wells.validator
    def _check_wells(self, _attribute: Any, wells: tuple[str, ...]) -> None:
        if not wells:
            raise PlateError(f"the plate {self.name!r} has no well: name at least one.")
        last = parse_well(_LAST_WELL)
        beyond = [well for well in wells if any(at > most for at, most in zip(parse_well(well), last, strict=True))]
        if beyond:
            raise PlateError(f"the well {beyond[0]} is on no plate: the last is {_LAST_WELL}.")
        twice = [well for well, count in Counter(wells).items() if count > 1]
        if twice:
            raise PlateError(f"the well {twice[0]} stands twice among the wells of {self.name!r}: name each once.")

    @grid.validator
    @image_shape.validator
    def _check_pair(self, attribute: attrs.Attribute[Any], value: tuple[int, ...]) -> None:
        if len(value) != 2 or min(value) < 1:  # noqa: PLR2004 -- rows and columns
            raise ValueError(f"{attribute.name}={value!r}: expected rows and columns, both at least 1.")

    @channels.validator
    def _check_channels(self, _attribute: Any, value: tuple[str, ...]) -> None:
        if not value or len(set(value)) < len(value):
            raise ValueError(f"channels={value!r}: expected one name or more, each of them once.")

    @property
    def camera(self) -> Camera:
        """The camera that takes the images."""
        return Camera(
            dtype=self.dtype,
            offset=self.camera_offset,
            photon_noise=self.photon_noise,
            read_noise=self.read_noise,
        )

    @property
    def background(self) -> float:
        """Light without any cell, in grey values, before illumination."""
        return BACKGROUND * self.camera.grey_scale

    @property
    def step_px(self) -> tuple[int, int]:
        """How many pixels the stage moves from a row of fields to the next, and from a column to the next."""
        down, right = (max(1, round(length * (1.0 - self.overlap))) for length in self.image_shape)
        return down, right

    @property
    def site_grid(self) -> dict[int, tuple[int, int]]:
        """The 0-based row and column of each site."""
        return {1 + row * self.grid[1] + column: (row, column) for row, column in np.ndindex(*self.grid)}

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each component that is counted from 1."""
        return {
            "site": self.grid[0] * self.grid[1],
            "channel": len(self.channels),
            "z_index": self.z_count,
            "timepoint": self.timepoint_count,
        }

    def focus_um(self, z_index: int) -> float:
        """Return the focus of a plane: 0 in the middle of the stack, growing with `z_index`."""
        return (z_index - 0.5 * (self.z_count + 1)) * self.z_step_um

    def known_well(self, name: str) -> str:
        """Return a well's name as it is written here.

        Raises
        ------
        hcs_core.PlateError
            The plate has no such well, or it is no well's name.
        """
        well = canonical_well(name)
        if well not in self.wells:
            raise PlateError(
                f"the plate {self.name!r} has no well {well}: it has {len(self.wells)}, from {self.wells[0]} to "
                f"{self.wells[-1]}."
            )
        return well

    def check_number(self, component: str, number: int) -> None:
        """Refuse a site, channel, z_index or timepoint that the plate does not have.

        Raises
        ------
        hcs_core.PlateError
            It has none of that number.
        """
        if not 1 <= number <= self.counts[component]:
            raise PlateError(
                f"the plate {self.name!r} has no {component} {number}: it has 1 to {self.counts[component]}."
            )
