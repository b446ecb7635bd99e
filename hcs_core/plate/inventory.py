"""The inventory: every plane of a plate, in columns, with the plate's metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np

from hcs_core.errors import PlateError
from hcs_core.plate.plane_table import PlaneKind, PlaneState, PlaneTable


def _number(value: float | None) -> float | None:
    # The digest is made of texts of numbers: 1, 1.0 and numpy's 1.0 are one number, and must be one text.
    return None if value is None else float(value)


def _two_ints(pair: Sequence[int]) -> tuple[int, int]:
    first, second = pair
    return int(first), int(second)


@attrs.frozen(kw_only=True)
class Channel:
    """A channel: its 1-based number, its name (unique in the plate), its emission in nm where known."""

    number: int
    name: str
    wavelength_nm: float | None = attrs.field(default=None, converter=_number)


@attrs.frozen(kw_only=True)
class SitePosition:
    """Where a field's centre lies, in um from the well's centre: y down, x right."""

    y_um: float
    x_um: float


@attrs.frozen(kw_only=True, eq=False)
class Plate:
    """A plate's inventory and metadata.

    Attributes
    ----------
    name
        The plate's folder name.
    root
        Its folder; nothing is ever written into it.
    microscope, detected_by
        The handler's name, and why it was chosen.
    plate_format
        Rows and columns of the plate.
    channels
        The channels that have planes, by number.
    planes
        All planes, present and absent.
    site_grid
        The 0-based row and column of each site in the layout of fields, where one is known: `site_grid[1]`.
    positions
        Where the fields lie, by (well, site); only where known.
    pixel_size_um, z_step_um, time_step_s
        The spacings; `None` where unknown.
    image_shape, dtype
        Rows and columns, and the numpy name of the dtype, of a plane; `None` until a header was read.
    differences
        Where index, headers and files contradict each other, a sentence each.
    """

    name: str
    root: Path
    microscope: str
    detected_by: str = ""
    plate_format: tuple[int, int]
    channels: tuple[Channel, ...]
    planes: PlaneTable
    site_grid: Mapping[int, tuple[int, int]] = attrs.field(factory=dict)
    positions: Mapping[tuple[str, int], SitePosition] = attrs.field(factory=dict)
    pixel_size_um: float | None = attrs.field(default=None, converter=_number)
    z_step_um: float | None = attrs.field(default=None, converter=_number)
    time_step_s: float | None = attrs.field(default=None, converter=_number)
    image_shape: tuple[int, int] | None = attrs.field(default=None, converter=attrs.converters.optional(_two_ints))
    dtype: str | None = None
    differences: tuple[str, ...] = ()

    @property
    def wells(self) -> tuple[str, ...]:
        """The wells that have planes, in their order on the plate."""
        return self.planes.wells_with_planes

    @property
    def z_indexes(self) -> tuple[int, ...]:
        """The z_index of every acquired plane, sorted; projections (0) are not among them."""
        planes = self.planes.one_of_each
        return tuple(np.unique(planes.z_index[planes.kind == PlaneKind.ACQUIRED]).tolist())

    @property
    def timepoints(self) -> tuple[int, ...]:
        """The timepoints, sorted."""
        return tuple(np.unique(self.planes.one_of_each.timepoint).tolist())

    def sites(self, well: str) -> tuple[int, ...]:
        """Return the sites of a well, sorted."""
        return tuple(np.unique(self.planes.of_well(well).site).tolist())

    def channel(self, number: int) -> Channel:
        """Return the channel of a number.

        Raises
        ------
        PlateError
            There is no such channel.
        """
        for channel in self.channels:
            if channel.number == number:
                return channel
        there = ", ".join(f"{channel.number} ({channel.name})" for channel in self.channels) or "none"
        raise PlateError(f"{self.name} has no channel {number}; its channels: {there}.")

    def state_counts(self) -> dict[str, int]:
        """Return how many planes are in each state, by its word."""
        counts = np.bincount(self.planes.state, minlength=len(PlaneState))
        return {state.word: int(counts[state]) for state in PlaneState}

    def digest(self) -> str:
        """Return a digest of planes and metadata; not of the folder, nor of positions, which are read when needed."""
        grid = sorted((int(site), _two_ints(cell)) for site, cell in self.site_grid.items())
        parts = (
            self.name, self.microscope, _two_ints(self.plate_format), self.channels, grid,
            self.pixel_size_um, self.z_step_um, self.time_step_s, self.image_shape, self.dtype,
        )  # fmt: skip
        return hashlib.sha256(f"{self.planes.digest()}{parts!r}".encode()).hexdigest()
