"""Which cells lie in a well, and where."""

from __future__ import annotations

import functools
import math

import attrs
import numpy as np
import numpy.typing as npt

from hcs_synthetic.randomness import Purpose, generator
from hcs_synthetic.rendering import Column, snap
from hcs_synthetic.settings import PlateSettings

NUCLEUS_UM = (4.8, 8.6)
"""The smallest and largest radius of a nucleus that does not divide."""

MITOTIC_SHARE = 0.05
REACH_UM = 34.0
"""No cell reaches farther from its centre than this, in focus."""

_DOUBLED = 0.35
_TRIES = 8
_CLUSTERED = 0.4
_LARGEST_STEP_UM = 0.6


@attrs.frozen(kw_only=True, eq=False)
class Cells:
    """The cells of a well at one timepoint: the truth, in columns of one length, sorted by no rule.

    Attributes
    ----------
    well, timepoint
        Where and when.
    y_um, x_um
        The nucleus's centre from the well's centre: y down, x right.
    z_um
        The focus at which the cell is sharp, on the axis of `SyntheticPlate.focus_um`.
    radius_um
        The radius of a disk as large as the nucleus's ellipse.
    brightness
        (cell, channel) float64: the height of the cell's body in focus, in grey values above the background.
    light
        (cell, channel) float64: all of the cell's light, the sum of its pixels in a noise-free image before
        illumination, the background taken off. The same in every plane of the stack.
    mitotic
        Whether the cell divides: small, bright and elongated.
    """

    well: str
    timepoint: int
    y_um: Column
    x_um: Column
    z_um: Column
    radius_um: Column
    brightness: npt.NDArray[np.float64]
    light: npt.NDArray[np.float64]
    mitotic: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self.y_um)


@attrs.frozen(kw_only=True, eq=False)
class Population:
    """The cells of a well as they are made: lengths in pixels, before any channel is looked at.

    `y`, `x` are centres at timepoint 1 and `step_y`, `step_x` how far they drift in each timepoint, all on the grid
    of `SUBPIXELS`; `cosine` and `sine` are the direction of the nucleus's long axis; `amount` is how much dye the
    cell takes up, about 1.
    """

    y: Column
    x: Column
    step_y: Column
    step_x: Column
    z_um: Column
    radius: Column
    aspect: Column
    cosine: Column
    sine: Column
    amount: Column
    mitotic: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self.y)


@functools.lru_cache(maxsize=16)
def population(plate: PlateSettings, well: str) -> Population:
    """Return the cells of a well; they do not depend on the stage error, the camera or the number of channels."""
    rng = generator(plate.seed, Purpose.CELLS, well=well)
    half = _half_extent(plate)
    field = plate.image_shape[0] * plate.image_shape[1]
    count = round(plate.cells_per_field * 4.0 * half[0] * half[1] / field)
    mitotic = rng.random(count) < MITOTIC_SHARE
    # The mean of two uniform numbers: most nuclei are of middle size.
    size = rng.random((count, 2)).mean(axis=1)
    radius_um = NUCLEUS_UM[0] + (NUCLEUS_UM[1] - NUCLEUS_UM[0]) * size
    radius = np.where(mitotic, 0.62, 1.0) * radius_um / plate.pixel_size_um
    cosine, sine = directions(rng.random(count))
    depth = 0.25 * (plate.z_count - 1) * plate.z_step_um + 0.5
    # Two populations, as before and after the genome has doubled, each with its spread.
    amount = np.where(rng.random(count) < _DOUBLED, 1.5, 0.9) * (0.75 + 0.5 * rng.random(count))
    steps = (2.0 * rng.random((2, count)) - 1.0) * _LARGEST_STEP_UM / plate.pixel_size_um
    aspect = np.where(mitotic, 2.2, 1.0) * (1.0 + 0.55 * rng.random(count) ** 2)
    z_um = depth * (2.0 * rng.random(count) - 1.0)
    places = _places(rng, radius, half)
    return Population(
        y=snap(places[:, 0]), x=snap(places[:, 1]), step_y=snap(steps[0]), step_x=snap(steps[1]), z_um=z_um,
        radius=radius, aspect=aspect, cosine=cosine, sine=sine, amount=amount, mitotic=mitotic,
    )  # fmt: skip


def directions(uniform: Column) -> tuple[Column, Column]:
    """Return cosine and sine of directions over half a turn (-45 to 135 degrees), from uniform numbers 0 to 1.

    By the rational parametrisation of the circle, of a quarter turn at a time, so that no direction is rarer than
    another by more than 15 %: sine and cosine themselves differ in their last bit between machines.
    """
    second = uniform >= 0.5  # noqa: PLR2004 -- the second of the two quarters
    tangent = (4.0 * uniform - np.where(second, 3.0, 1.0)) * (math.sqrt(2.0) - 1.0)
    over = 1.0 + tangent * tangent
    cosine, sine = (1.0 - tangent * tangent) / over, 2.0 * tangent / over
    return np.where(second, -sine, cosine), np.where(second, cosine, sine)


def _half_extent(plate: PlateSettings) -> tuple[float, float]:
    """Return half the height and width, in pixels, of the part of the well that has cells: more than is seen."""
    margin = REACH_UM / plate.pixel_size_um
    extents = []
    for count, step, length in zip(plate.grid, plate.step_px, plate.image_shape, strict=True):
        extents.append(0.5 * ((count - 1) * step + 1.1 * length) + margin)
    return extents[0], extents[1]


def _places(rng: np.random.Generator, radius: Column, half: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return a (y, x) row for each cell: some near others, none on top of another while there is room.

    Each cell takes the first of a few random places that is free, or the one with the most room.
    """
    count = len(radius)
    limits = np.array(half)
    anywhere = (2.0 * rng.random((count, _TRIES, 2)) - 1.0) * limits
    nearby = (2.0 * rng.random((count, _TRIES, 2)) - 1.0) * 4.0
    parents = rng.random((count, _TRIES))
    clustered = rng.random((count, _TRIES)) < _CLUSTERED
    placed = np.zeros((count, 2))
    for index in range(count):
        most = -1.0
        for attempt in range(_TRIES):
            place = anywhere[index, attempt]
            if index and clustered[index, attempt] and attempt < _TRIES - 1:
                place = placed[int(parents[index, attempt] * index)] + nearby[index, attempt] * radius[index]
            if (np.abs(place) > limits).any():
                continue
            apart = placed[:index] - place
            squared = apart[:, 0] * apart[:, 0] + apart[:, 1] * apart[:, 1]
            needed = 1.15 * (radius[index] + radius[:index])
            room = float((squared / (needed * needed)).min(initial=np.inf))
            if room > most:
                placed[index], most = place, room
            if room >= 1.0:
                break
    return placed
