"""Where the fields of a well lie, and the light that falls on the camera in one of them."""

from __future__ import annotations

import functools

import attrs
import numpy as np
import numpy.typing as npt

from hcs_synthetic.appearance import appearance
from hcs_synthetic.cells import population
from hcs_synthetic.randomness import Purpose, generator, standard_noise
from hcs_synthetic.rendering import add_ellipses, snap
from hcs_synthetic.settings import PlateSettings

DEFOCUS = 0.9
"""By how many micrometres a point widens (as the radius of its disk) for each micrometre out of focus."""

_RESOLUTION_UM = 0.6
_RESOLUTION_PX = 2.0

Centres = npt.NDArray[np.float64]


def nominal_centres(plate: PlateSettings) -> Centres:
    """Return the (site, 2) nominal centres of fields in pixels from the well's centre, y and x."""
    middle = (np.array(plate.grid) - 1) / 2.0
    centres: Centres = (np.array(list(plate.site_grid.values())) - middle) * np.array(plate.step_px)
    return centres


@functools.lru_cache(maxsize=64)
def true_centres(plate: PlateSettings, well: str) -> Centres:
    """Return the (site, 2) true centres of a well's fields as `nominal_centres`, on the grid of `SUBPIXELS`."""
    nominal = nominal_centres(plate)
    noise = standard_noise(generator(plate.seed, Purpose.STAGE, well=well).bit_generator, nominal.shape)
    errors = noise.astype(np.float64) * plate.stage_error_px
    centres: Centres = nominal + (np.rint(errors) if plate.whole_pixel_stage_error else snap(errors))
    return centres


def light_in_field(
    plate: PlateSettings, well: str, site: int, channel: int, focus_um: float, timepoint: int
) -> npt.NDArray[np.float32]:
    """Return the (y, x) float32 light of a field, in grey values, before illumination.

    A cell out of focus is wider and dimmer, and gives the same light in all. The approximation: the semi-axes of
    each of its soft ellipses become the root of the sum of squares with the blur's radius, and its plateau a bump.
    """
    cells, shown = population(plate, well), appearance(plate, well, channel)
    corner = true_centres(plate, well)[site - 1] - (np.array(plate.image_shape) - 1) / 2.0
    # In focus there is the microscope's own resolution, and nothing is finer than the pixels can show.
    sharpest = max(_RESOLUTION_UM / plate.pixel_size_um, _RESOLUTION_PX)
    out_of_focus = DEFOCUS * np.abs(cells.z_um - focus_um) / plate.pixel_size_um
    blur = (out_of_focus**2 + sharpest * sharpest)[shown.cell]
    parts, later = shown.parts, timepoint - 1
    size = parts.along * parts.across
    lit = attrs.evolve(
        parts,
        y=parts.y + (later * cells.step_y)[shown.cell] - corner[0],
        x=parts.x + (later * cells.step_x)[shown.cell] - corner[1],
        along=np.sqrt(parts.along**2 + blur),
        across=np.sqrt(parts.across**2 + blur),
        softness=(parts.softness * size + blur) / (size + blur),
    )
    image = np.full(plate.image_shape, plate.background, np.float32)
    add_ellipses(image, lit)
    return image
