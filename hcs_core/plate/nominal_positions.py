"""Where the stage says that the fields of a well lie, in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hcs_core.errors import PlateError
from hcs_core.plate.inventory import Plate


def nominal_positions(
    plate: Plate, well: str, sites: Sequence[int], pixel_size_um: float | None
) -> npt.NDArray[np.float64]:
    """Return (n, 2) float64: y and x of each site's first pixel, in pixels, y down; the least of each is 0.

    The fractions of a pixel are kept. One site alone lies at (0, 0), wherever the stage was.

    Parameters
    ----------
    plate
        The inventory, with the positions of the well's fields.
    well, sites
        The well, and which of its sites.
    pixel_size_um
        The side of a pixel in the sample; `None` where it is unknown.

    Raises
    ------
    PlateError
        A position or the pixel size is unknown.
    """
    if len(sites) == 1:
        return np.zeros((1, 2))
    unknown = [site for site in sites if (well, site) not in plate.positions]
    if unknown:
        raise PlateError(
            f"the stage position of site {', '.join(map(str, unknown))} of {well} is not known: neither an index nor "
            "the headers of its images say it; place the sites by a positions file of your own."
        )
    if pixel_size_um is None:
        raise PlateError(f"the pixel size of {plate.name} is not known: give pixel_size_um=.")
    centres = [plate.positions[well, site] for site in sites]
    pixels = np.array([(centre.y_um, centre.x_um) for centre in centres], np.float64) / pixel_size_um
    first: npt.NDArray[np.float64] = pixels - pixels.min(axis=0)
    return first
