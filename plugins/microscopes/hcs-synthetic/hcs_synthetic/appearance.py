"""What the cells of a well look like in a channel: each is a sum of soft ellipses.

The first channel shows nuclei, the second whole cells, the third vesicles, and so on in turn.
"""

from __future__ import annotations

import functools

import attrs
import numpy as np
import numpy.typing as npt

from hcs_synthetic.cells import Population, directions, population
from hcs_synthetic.randomness import Purpose, generator
from hcs_synthetic.rendering import Column, SoftEllipses, light_of, snap
from hcs_synthetic.settings import PlateSettings


@attrs.frozen(kw_only=True)
class Spots:
    """Small parts of a cell, each drawn out away from the nucleus.

    Attributes
    ----------
    count
        How many.
    between, radius
        The least and largest distance from the nucleus's centre, and radius, in nucleus radii.
    height
        The least and largest height, relative to the cell's body.
    stretch
        The least and largest length relative to `radius`; the width is as much smaller.
    """

    count: int
    between: tuple[float, float]
    radius: tuple[float, float]
    height: tuple[float, float]
    stretch: tuple[float, float] = (0.85, 1.2)


@attrs.frozen(kw_only=True)
class Look:
    """How a channel shows a cell.

    Attributes
    ----------
    level
        The height of a typical body, in grey values of a 16-bit camera.
    spread
        How much cells differ in it beyond their dye: 0 not at all, 1 from nothing to three times.
    body, softness
        The body's size in nuclei, and its softness.
    lobes
        Wider, dimmer parts around the body, which make cells irregular.
    spots
        Small parts.
    """

    level: float
    spread: float
    body: float
    softness: float
    lobes: tuple[Spots, ...]
    spots: tuple[Spots, ...]


_HALO = Spots(count=1, between=(0.0, 0.3), radius=(2.4, 3.0), height=(0.03, 0.05))
_PROTRUSIONS = Spots(count=4, between=(0.5, 1.5), radius=(0.65, 1.25), height=(0.15, 0.6), stretch=(1.0, 1.45))
LOOKS = (
    Look(
        level=1500.0, spread=0.0, body=1.0, softness=0.15,
        lobes=(_HALO,),
        spots=(
            Spots(count=7, between=(0.05, 0.7), radius=(0.12, 0.3), height=(0.1, 0.32)),
            Spots(count=2, between=(0.05, 0.5), radius=(0.18, 0.3), height=(-0.3, -0.12)),
        ),
    ),
    Look(
        level=420.0, spread=0.8, body=1.9, softness=0.9,
        lobes=(_PROTRUSIONS,),
        spots=(
            Spots(count=1, between=(0.0, 0.1), radius=(0.9, 1.05), height=(-0.5, -0.35)),
            Spots(count=12, between=(0.5, 1.5), radius=(0.1, 0.22), height=(0.08, 0.4)),
        ),
    ),
    Look(
        level=260.0, spread=0.6, body=1.7, softness=1.0,
        lobes=(_PROTRUSIONS,),
        spots=(
            Spots(count=22, between=(0.4, 1.3), radius=(0.08, 0.17), height=(0.3, 2.0)),
            Spots(count=8, between=(1.0, 1.8), radius=(0.08, 0.15), height=(0.2, 1.2)),
        ),
    ),
)  # fmt: skip
"""The looks, by channel: the first again after the last."""


@attrs.frozen(kw_only=True, eq=False)
class Appearance:
    """The cells of a well in one channel.

    `parts` are the soft ellipses in focus at timepoint 1, in pixels from the well's centre; `cell` says for each
    whose it is; `brightness` and `light` are columns over the cells.
    """

    parts: SoftEllipses
    cell: npt.NDArray[np.int64]
    brightness: Column
    light: Column


@functools.lru_cache(maxsize=32)
def appearance(plate: PlateSettings, well: str, channel: int) -> Appearance:
    """Return what the cells of a well look like in a channel."""
    cells = population(plate, well)
    look = LOOKS[(channel - 1) % len(LOOKS)]
    rng = generator(plate.seed, Purpose.APPEARANCE, well=well, channel=channel)
    count = len(cells)
    # Between 0 and 3, mostly small: the cube of a uniform number.
    taken = rng.random(count)
    own = (1.0 - look.spread) + look.spread * (0.12 + 2.9 * taken * taken * taken)
    dense = np.where(cells.mitotic, 1.35, 1.0)
    brightness = look.level * plate.camera.grey_scale * cells.amount * own * dense
    groups = [_bodies(cells, look, brightness)]
    groups += [_scattered(rng, cells, spots, brightness) for spots in (*look.lobes, *look.spots)]
    parts = SoftEllipses(
        **{
            field.name: np.concatenate([getattr(group, field.name) for group in groups])
            for field in attrs.fields(SoftEllipses)
        }
    )
    cell = np.concatenate([np.repeat(np.arange(count), len(group.y) // max(count, 1)) for group in groups])
    light: Column = np.bincount(cell, weights=parts.light, minlength=count).astype(np.float64)
    return Appearance(parts=parts, cell=cell, brightness=brightness, light=light)


def _bodies(cells: Population, look: Look, brightness: Column) -> SoftEllipses:
    # A wide body is rounder than its nucleus.
    root = np.sqrt(cells.aspect if look.body <= 1.0 else 0.5 * (1.0 + cells.aspect))
    along, across = look.body * cells.radius * root, look.body * cells.radius / root
    softness = np.full(len(cells), look.softness)
    return SoftEllipses(
        y=cells.y, x=cells.x, along=along, across=across, cosine=cells.cosine, sine=cells.sine, softness=softness,
        light=light_of(brightness, along, across, softness),
    )  # fmt: skip


def _scattered(rng: np.random.Generator, cells: Population, spots: Spots, brightness: Column) -> SoftEllipses:
    """Return `spots.count` ellipses for each cell, around its nucleus's centre, stretched as the nucleus is."""
    shape = (len(cells), spots.count)

    def between(limits: tuple[float, float]) -> npt.NDArray[np.float64]:
        return limits[0] + (limits[1] - limits[0]) * rng.random(shape)

    # Half a turn and a sign make all directions.
    way_x, way_y = directions(rng.random(shape))
    distance = between(spots.between) * np.where(rng.random(shape) < 0.5, -1.0, 1.0) * cells.radius[:, None]  # noqa: PLR2004 -- either side
    root = np.sqrt(cells.aspect)[:, None]
    long, short = distance * way_x * root, distance * way_y / root
    cosine, sine = cells.cosine[:, None], cells.sine[:, None]
    radius = between(spots.radius) * cells.radius[:, None]
    stretch = between(spots.stretch)
    along, across = (radius * stretch).ravel(), (radius / stretch).ravel()
    height = (between(spots.height) * brightness[:, None]).ravel()
    return SoftEllipses(
        y=snap((cells.y[:, None] + sine * long + cosine * short).ravel()),
        x=snap((cells.x[:, None] + cosine * long - sine * short).ravel()),
        along=along, across=across,
        cosine=(cosine * way_x - sine * way_y).ravel(), sine=(sine * way_x + cosine * way_y).ravel(),
        softness=np.ones(len(along)), light=light_of(height, along, across, 1.0),
    )  # fmt: skip
