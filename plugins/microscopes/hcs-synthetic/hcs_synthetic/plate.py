"""`SyntheticPlate`: a plate whose every pixel, cell and position is known."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core import Channel, PlateDescription, SitePosition, plate_format
from hcs_synthetic.appearance import appearance
from hcs_synthetic.cells import Cells, population
from hcs_synthetic.damage import DamagedPlane, damage
from hcs_synthetic.faults import Fault
from hcs_synthetic.fields import light_in_field, nominal_centres, true_centres
from hcs_synthetic.illumination import illumination_field
from hcs_synthetic.randomness import Purpose, generator
from hcs_synthetic.settings import PlateSettings

_WAVELENGTHS_NM = {"DAPI": 455.0, "GFP": 510.0, "FITC": 520.0, "TRITC": 580.0, "RFP": 600.0, "CY5": 670.0}


@attrs.frozen(kw_only=True)
class SyntheticPlate(PlateSettings):
    """A plate of which everything is known: cells, field positions, illumination, every pixel.

    A pixel depends on this description, its well, site, channel, z_index and timepoint, and on nothing else: not on
    the order in which images are made, nor on the process or the machine. Fields of a well show the same cells,
    each at its true place. Lengths are in micrometres unless a name says otherwise.

    Its options are the fields of `PlateSettings`, and these.

    Attributes
    ----------
    faults
        What is wrong with the files of the plate; each `Fault` is in those of its planes that no fault before it is
        in. Pixels, positions and cells are as if there were none.

    Raises
    ------
    hcs_core.PlateError
        A fault names what the plate does not have, no plane is left to it, or no file is left of the plate.

    Examples
    --------
    >>> plate = SyntheticPlate(wells=("A01",), grid=(1, 2), image_shape=(64, 96), cells_per_field=3)
    >>> plate.image("A01", 2, 1, 1, 1).shape
    (64, 96)
    >>> len(plate.truth("A01").y_um) > 0
    True
    """

    faults: tuple[Fault, ...] = attrs.field(
        default=(), converter=tuple, validator=attrs.validators.deep_iterable(attrs.validators.instance_of(Fault))
    )

    @faults.validator
    def _check_faults(self, _attribute: Any, faults: tuple[Fault, ...]) -> None:
        damage(self, faults)

    @property
    def damage(self) -> tuple[DamagedPlane, ...]:
        """The planes that the faults are in, in the order of the plate, and what a reader can know of each."""
        return damage(self, self.faults)

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

    # --- What is known ----------------------------------------------------------------------------------------

    def truth(self, well: str, timepoint: int = 1) -> Cells:
        """Return the cells of a well at a timepoint, those between and around its fields too."""
        well = self.known_well(well)
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
        self.check_number("channel", channel)
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

    def _known_plane(self, well: str, site: int, channel: int, z_index: int, timepoint: int) -> str:
        numbers = {"site": site, "channel": channel, "z_index": z_index, "timepoint": timepoint}
        for component, number in numbers.items():
            self.check_number(component, number)
        return self.known_well(well)


def _position(centre_um: npt.NDArray[np.float64]) -> SitePosition:
    return SitePosition(y_um=float(centre_um[0]), x_um=float(centre_um[1]))
