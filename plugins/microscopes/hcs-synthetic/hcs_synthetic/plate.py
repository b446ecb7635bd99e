"""`SyntheticPlate`: a plate whose every pixel, cell and position is known."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core import Channel, PlateDescription, PlateError, SitePosition, canonical_well, parse_well, plate_format
from hcs_synthetic.appearance import appearance
from hcs_synthetic.camera import Camera
from hcs_synthetic.cells import Cells, population
from hcs_synthetic.fields import light_in_field, nominal_centres, true_centres
from hcs_synthetic.illumination import illumination_field
from hcs_synthetic.randomness import Purpose, generator

BACKGROUND = 45.0
"""Light without any cell, in grey values of a 16-bit camera."""

_LAST_WELL = "AF48"
_LARGEST_SEED = 2**32 - 1
_WAVELENGTHS_NM = {"DAPI": 455.0, "GFP": 510.0, "FITC": 520.0, "TRITC": 580.0, "RFP": 600.0, "CY5": 670.0}


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _wells(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(canonical_well(name) for name in _names(names))


def _whole(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(operator.index(number) for number in numbers)


def _number(low: float, high: float) -> Any:
    return attrs.validators.and_(attrs.validators.ge(low), attrs.validators.le(high))


@attrs.frozen(kw_only=True)
class SyntheticPlate:
    """A plate of which everything is known: cells, field positions, illumination, every pixel.

    A pixel depends on this description, its well, site, channel, z_index and timepoint, and on nothing else: not on
    the order in which images are made, nor on the process or the machine. Fields of a well show the same cells,
    each at its true place. Lengths are in micrometres unless a name says otherwise.

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

    Examples
    --------
    >>> plate = SyntheticPlate(wells=("A01",), grid=(1, 2), image_shape=(64, 96), cells_per_field=3)
    >>> plate.image("A01", 2, 1, 1, 1).shape
    (64, 96)
    >>> len(plate.truth("A01").y_um) > 0
    True
    """

    name: str = attrs.field(default="synthetic", validator=attrs.validators.matches_re(r"[\w][\w .-]*"))
    wells: tuple[str, ...] = attrs.field(default=("A01",), converter=_wells)
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

    # --- Where things are -------------------------------------------------------------------------------------

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
    def nominal_positions(self) -> dict[tuple[str, int], SitePosition]:
        """The fields' centres as the stage reports them, by (well, site): a regular grid around the well's centre."""
        nominal = nominal_centres(self) * self.pixel_size_um
        return {(well, site): _position(nominal[site - 1]) for well in self.wells for site in self.site_grid}

    @property
    def positions(self) -> dict[tuple[str, int], SitePosition]:
        """The fields' true centres by (well, site), in um from the well's centre: what registration has to find."""
        return {
            (well, site): _position(true_centres(self, well)[site - 1] * self.pixel_size_um)
            for well in self.wells
            for site in self.site_grid
        }

    def focus_um(self, z_index: int) -> float:
        """Return the focus of a plane: 0 in the middle of the stack, growing with `z_index`."""
        return (z_index - 0.5 * (self.z_count + 1)) * self.z_step_um

    # --- What is known ----------------------------------------------------------------------------------------

    def truth(self, well: str, timepoint: int = 1) -> Cells:
        """Return the cells of a well at a timepoint, those between and around its fields too."""
        well = self._known_well(well)
        cells = population(self, well)
        looks = [appearance(self, well, number) for number in range(1, len(self.channels) + 1)]
        return Cells(
            well=well,
            timepoint=timepoint,
            y_um=(cells.y + (timepoint - 1) * cells.step_y) * self.pixel_size_um,
            x_um=(cells.x + (timepoint - 1) * cells.step_x) * self.pixel_size_um,
            z_um=cells.z_um.copy(),
            radius_um=cells.radius * self.pixel_size_um,
            brightness=np.stack([look.brightness for look in looks], axis=1),
            light=np.stack([look.light for look in looks], axis=1),
            mitotic=cells.mitotic.copy(),
        )

    def illumination(self, channel: int) -> npt.NDArray[np.float32]:
        """Return the (y, x) float32 illumination of a channel, with mean 1; it is the same in every image."""
        self._check_number("channel", channel, len(self.channels))
        return illumination_field(self, channel)

    # --- Images -----------------------------------------------------------------------------------------------

    def ideal(self, well: str, site: int, channel: int, z_index: int, timepoint: int) -> npt.NDArray[np.float32]:
        """Return the (y, x) float32 light of a plane in grey values: no noise, no offset, before illumination.

        Raises
        ------
        hcs_core.PlateError
            The plate has no such plane.
        """
        well = self._known_plane(well, site, channel, z_index, timepoint)
        return light_in_field(self, well, site, channel, self.focus_um(z_index), timepoint)

    def image(self, well: str, site: int, channel: int, z_index: int, timepoint: int) -> npt.NDArray[Any]:
        """Return the (y, x) image of a plane as the camera gives it: a `hcs_core.PlaneSource`.

        Raises
        ------
        hcs_core.PlateError
            The plate has no such plane.
        """
        signal = self.ideal(well, site, channel, z_index, timepoint)
        signal *= illumination_field(self, channel)
        noise = generator(
            self.seed,
            Purpose.NOISE,
            well=well,
            site=site,
            channel=channel,
            z_index=z_index,
            timepoint=timepoint,
        )
        return self.camera.expose(signal, noise.bit_generator)

    def description(self) -> PlateDescription:
        """Return what a layout writer is told.

        Its positions are the *nominal* ones: a microscope's files state where its stage believes to be. The error,
        `positions` minus `nominal_positions`, is in the pixels alone.
        """
        return PlateDescription(
            name=self.name,
            plate_format=plate_format(self.wells),
            wells=self.wells,
            channels=tuple(
                Channel(number=number, name=name, wavelength_nm=_WAVELENGTHS_NM.get(name.upper()))
                for number, name in enumerate(self.channels, start=1)
            ),
            site_grid=self.site_grid,
            positions=self.nominal_positions,
            z_indexes=tuple(range(1, self.z_count + 1)),
            timepoints=tuple(range(1, self.timepoint_count + 1)),
            pixel_size_um=self.pixel_size_um,
            z_step_um=self.z_step_um,
            time_step_s=self.time_step_s,
            image_shape=self.image_shape,
            dtype=self.dtype,
        )

    def _known_well(self, well: str) -> str:
        name = canonical_well(well)
        if name not in self.wells:
            raise PlateError(
                f"the plate {self.name!r} has no well {name}: it has {len(self.wells)}, from {self.wells[0]} to "
                f"{self.wells[-1]}."
            )
        return name

    def _known_plane(self, well: str, site: int, channel: int, z_index: int, timepoint: int) -> str:
        self._check_number("site", site, self.grid[0] * self.grid[1])
        self._check_number("channel", channel, len(self.channels))
        self._check_number("z_index", z_index, self.z_count)
        self._check_number("timepoint", timepoint, self.timepoint_count)
        return self._known_well(well)

    def _check_number(self, component: str, number: int, count: int) -> None:
        if not 1 <= number <= count:
            raise PlateError(f"the plate {self.name!r} has no {component} {number}: it has 1 to {count}.")


def _position(centre_um: npt.NDArray[np.float64]) -> SitePosition:
    return SitePosition(y_um=float(centre_um[0]), x_um=float(centre_um[1]))
