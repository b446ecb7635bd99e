"""What a microscope plugin brings: the `MicroscopeHandler` protocol, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy.typing as npt

from hcs_core.plate.inventory import Channel, Plate, SitePosition
from hcs_core.plate.plane_table import PlaneKind


@attrs.frozen(kw_only=True)
class ParsedName:
    """What a file's name and folders say: a component is `None` where they do not say it."""

    well: str
    site: int | None = None
    channel: int | None = None
    z_index: int | None = None
    timepoint: int | None = None
    kind: PlaneKind = PlaneKind.ACQUIRED
    plate: str | None = None


@attrs.frozen(kw_only=True)
class PlaneFacts:
    """What one plane's header says, as far as it says it.

    Attributes
    ----------
    pixel_size_um
        The length of a pixel's side in the sample, binning included.
    position
        The field's centre from the well's centre (y down, x right).
    stage_yx_um
        The stage's absolute position (y down, x right), for microscopes that do not state the offset.
    z_um
        The focus.
    channel_name, wavelength_nm
        As the instrument calls the channel, and its emission.
    z_index, timepoint, is_projection, well, site
        What the header claims of the plane's place, to be compared with where the file lies.
    time_s
        When it was taken, in seconds of any clock that all planes of the plate share.
    plane_id
        The plane's identity: copies of one plane share it.
    """

    pixel_size_um: float | None = None
    position: SitePosition | None = None
    stage_yx_um: tuple[float, float] | None = None
    z_um: float | None = None
    channel_name: str | None = None
    wavelength_nm: float | None = None
    well: str | None = None
    site: int | None = None
    z_index: int | None = None
    timepoint: int | None = None
    is_projection: bool | None = None
    time_s: float | None = None
    plane_id: str | None = None


@runtime_checkable
class FilenameParser(Protocol):
    """A plate's own grammar of file names."""

    def parse_filename(self, path: str) -> ParsedName | None:
        """Return what a plate-relative path (a bare file name is one) says; `None` if it is no image."""
        ...

    def construct_filename(self, name: ParsedName) -> str:
        """Return the plate-relative path of a plane, the inverse of `parse_filename`.

        Raises
        ------
        PlateError
            The layout does not determine it, or a component is missing.
        """
        ...


@runtime_checkable
class MicroscopeHandler(Protocol):
    """What turns a microscope's folder into an inventory.

    A handler is made without arguments, keeps nothing between calls, and reads no pixels: a plane's location
    names a reader. The least that works, for files like `A01_s1_w1.png` in one folder::

        class MyHandler:
            parser = MyParser()

            def recognise(self, root):
                return "it holds a plate.ini" if (root / "plate.ini").is_file() else None

            def build_inventory(self, root):
                names = sorted(path.name for path in root.iterdir())
                found = [(name, parsed) for name in names if (parsed := self.parser.parse_filename(name))]
                ...
                return Plate(name=root.name, root=root, microscope="mine", planes=PlaneTable.build(...), ...)

            def parse_header(self, text):
                return PlaneFacts()
    """

    @property
    def parser(self) -> FilenameParser:
        """The grammar of file names."""
        ...

    def recognise(self, root: Path) -> str | None:
        """Return why the folder is a plate of this microscope, in a few words, or `None` if it is not."""
        ...

    def build_inventory(self, root: Path) -> Plate:
        """Return the inventory: one scan of the folder, no image is opened, nothing is written.

        Raises
        ------
        PlateError
            The folder has the marks of this microscope, and no image.
        """
        ...

    def parse_header(self, text: str) -> PlaneFacts:
        """Return what the text of a plane's header (`Header.text`) says."""
        ...


@attrs.frozen(kw_only=True)
class PlateDescription:
    """A plate that is to be written in a microscope's layout: what is known of it, without its pixels.

    `positions` are the fields' centres as the stage reports them, from the well's centre (y down, x right), by (well,
    site); `site_grid` the 0-based row and column of each site; `z_indexes` and `timepoints` count from 1.
    """

    name: str
    plate_format: tuple[int, int]
    wells: tuple[str, ...]
    channels: tuple[Channel, ...]
    site_grid: Mapping[int, tuple[int, int]]
    positions: Mapping[tuple[str, int], SitePosition]
    z_indexes: tuple[int, ...]
    timepoints: tuple[int, ...]
    pixel_size_um: float
    z_step_um: float
    time_step_s: float
    image_shape: tuple[int, int]
    dtype: str


PlaneSource = Callable[[str, int, int, int, int], npt.NDArray[Any]]
"""Gives the pixels of (well, site, channel, z_index, timepoint), all but the well 1-based numbers."""


@runtime_checkable
class LayoutWriter(Protocol):
    """Writes a plate in a microscope's layout, for tests and demonstrations."""

    def write(self, folder: Path, description: PlateDescription, image: PlaneSource) -> Path:
        """Write the plate as a new folder inside `folder` and return it."""
        ...
