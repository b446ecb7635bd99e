"""What the compiler knows of images: their channels, places along z and t, frame and spacings."""

from __future__ import annotations

import attrs

from hcs_core.plate.plane_table import PlaneKind

PROJECTION_Z = 0
"""The z_index of what has no place along z: a microscope's projection, or what an operation made of a stack."""


@attrs.frozen(kw_only=True)
class ImageChannel:
    """A channel of an image of the plan: its name, the plate's number of it (0: derived), its display colour."""

    name: str
    number: int = 0
    colour: str = "FFFFFF"


@attrs.frozen(kw_only=True)
class ImagePlan:
    """What the images of all sites share: channels, z_indexes, timepoints, frame, dtype, spacings.

    Along z and t, an image's index is the number less the lowest; gaps are kept.

    Attributes
    ----------
    channels, z_indexes, timepoints
        What there is along c, z and t. A channel need not have a plane at every z_index and timepoint.
    reduced
        The axes among `tz` that are gone: projections have no place along z, and their `z_indexes` are `(0,)`.
    shape, dtype
        (y, x) and the numpy name of the dtype. Mosaics differ in size from well to well: theirs is (0, 0) here, and
        `WellShape.frame` gives that of a well.
    pixel_size_um, z_step_um, time_step_s
        The spacings; `None` where unknown.
    field_shape
        (y, x) of the planes of the plate that it comes from; `None`: as `shape`.
    scale, origin
        How many pixels of the plate's planes are one of its, along each side, and where the centre of its first pixel
        lies, in pixels of the plate's planes from the centre of their first (of a mosaic: of its canvas's first).
    canvas
        Of a mosaic: which of its well's canvases it lies on; `None` where each site has an image.
    """

    channels: tuple[ImageChannel, ...]
    z_indexes: tuple[int, ...]
    timepoints: tuple[int, ...]
    reduced: str = ""
    shape: tuple[int, int]
    dtype: str
    pixel_size_um: float | None = None
    z_step_um: float | None = None
    time_step_s: float | None = None
    field_shape: tuple[int, int] | None = None
    scale: int = 1
    origin: tuple[float, float] = (0.0, 0.0)
    canvas: int | None = None

    @property
    def is_mosaic(self) -> bool:
        """Whether it is one image a well, and not one a site."""
        return self.canvas is not None

    @property
    def array_shape(self) -> tuple[int, int, int, int, int]:
        """(t, c, z, y, x)."""
        times = self.timepoints[-1] - self.timepoints[0] + 1
        slices = self.z_indexes[-1] - self.z_indexes[0] + 1
        return (times, len(self.channels), slices, *self.shape)

    @property
    def planes(self) -> int:
        """How many planes an image has at most."""
        return len(self.timepoints) * len(self.channels) * len(self.z_indexes)

    @property
    def is_projection(self) -> bool:
        """Whether it has no place along z."""
        return "z" in self.reduced

    @property
    def plane_kind(self) -> PlaneKind:
        """Of which kind the planes of the plate are, where it is one of the plate's images."""
        return PlaneKind.PROJECTION if self.is_projection else PlaneKind.ACQUIRED

    def axis_sizes(self, sites: int) -> dict[str, int]:
        """Return the planes along s, t, c and z of a well with so many sites; gaps in t and z are not counted."""
        along = 1 if self.is_mosaic else sites
        return {"s": along, "t": len(self.timepoints), "c": len(self.channels), "z": len(self.z_indexes)}

    def first_pixel(self, centre_yx_um: tuple[float, float]) -> tuple[float, float] | None:
        """Return (y, x) in um of the first pixel's centre, where the field's centre is known; without pixels, `None`.

        Stage positions are those of field centres.
        """
        if self.pixel_size_um is None:
            return None
        pixel = self.pixel_size_um / self.scale
        height, width = self.field_shape or self.shape
        y, x = centre_yx_um
        return (
            y + (self.origin[0] - (height - 1) / 2) * pixel,
            x + (self.origin[1] - (width - 1) / 2) * pixel,
        )
