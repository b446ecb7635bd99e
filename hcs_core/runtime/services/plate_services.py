"""What a plate offers to steps, in whatever process they run: the `PlateServices` protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import attrs

from hcs_core.arrays.table import Table
from hcs_core.plate.inventory import Plate
from hcs_core.plate.plate_microscope import PlateMicroscope
from hcs_core.plugins.recipe import PluginRecipe
from hcs_core.runtime.stitcher import Stitcher


@attrs.frozen(kw_only=True, eq=False)
class ServicesRecipe:
    """How a worker makes the services of a plate: its folder, the microscope's name, the plugins, and the output."""

    plate_root: Path
    microscope: str
    plugins: PluginRecipe
    output: Path


class PlateServices(Protocol):
    """What a step's context offers as `context.orchestrator`, and the orchestrator itself.

    In a worker it is made anew: it is never the orchestrator's own object.
    """

    @property
    def plate(self) -> Plate:
        """The plate's inventory."""
        ...

    @property
    def workspace_path(self) -> Path:
        """A tree of links to the plate's files, made when it is first asked for.

        Where the system has no links, it is a folder with the file `workspace.json`, which says so and names the
        original of each path; the services below take it all the same.
        """
        ...

    @property
    def microscope_handler(self) -> PlateMicroscope:
        """The handler of the plate's microscope, with `parser` and `auto_detect_patterns`."""
        ...

    def get_stitcher(self, name: str | None = None) -> Stitcher:
        """Return a new stitcher, the default one unless a name is given: each thread takes one of its own.

        Raises
        ------
        UnknownNameError
            None of that name is installed.
        """
        ...

    def generate_positions(
        self,
        *,
        well: str,
        input_dir: str | Path,
        positions_dir: str | Path,
        channel: str | int | None = None,
        stitcher: str | None = None,
        pixel_size_um: float | None = None,
        **parameters: Any,
    ) -> tuple[Path, Table]:
        """Find where the sites of a well lie in its mosaic; write that as `<well>_positions.csv`, and return both.

        The stitcher starts from the stage's positions. If it compares images, it gets those of one channel at the
        first timepoint and in the middle of the stack (a projection, where the channel has nothing else).

        Parameters
        ----------
        well
            The well's name.
        input_dir
            Where its images are: the plate, the workspace, or a folder of images named as the plate's are.
        positions_dir
            Where the file goes; made if it is not there.
        channel
            Name or number of the channel whose images are compared; by default the first.
        stitcher
            The stitcher's name; see `get_stitcher`.
        pixel_size_um
            The side of a pixel of the images; by default the plate's, which is that of all images of its shape.
        **parameters
            The stitcher's parameters for positions.

        Returns
        -------
        tuple
            The file's path, and the table: Metadata_Plate, Metadata_Well, Metadata_Site, y_px, x_px (of each site's
            first pixel, in pixels of the mosaic, y down; the least of each is 0), confidence (0 to 1).

        Raises
        ------
        PlateError
            There is no such well, folder, channel or image, or a stage position or the pixel size is unknown.
        ReadError
            An image that the stitcher compares cannot be read.
        RunError
            The folder lies in the plate, or a parameter is wrong.
        StorageError
            The file cannot be written.
        """
        ...

    def stitch_images(
        self,
        *,
        well: str,
        input_dir: str | Path,
        output_dir: str | Path,
        positions_file: str | Path,
        stitcher: str | None = None,
        pixel_size_um: float | None = None,
        **parameters: Any,
    ) -> tuple[Path, ...]:
        """Make a mosaic of each channel, z_index and timepoint of a well's images; return their files.

        They are called `<well>_stitched_w<channel>_z<z>_t<t>.tif`: channel, z_index (0: a projection) and timepoint
        as the plate numbers them. All have the size that the positions of all sites ask for; where a site has no
        image, pixels are 0. One image is in memory at a time, beside the mosaic.

        Parameters
        ----------
        well, input_dir
            As for `generate_positions`.
        output_dir
            Where the files go; made if it is not there. Those of the same names are replaced.
        positions_file
            What `generate_positions` has written, or a table of one's own with these columns; it may hold other wells
            too. Positions below 0 move the mosaic's first pixel there.
        stitcher, pixel_size_um
            As for `generate_positions`.
        **parameters
            The stitcher's parameters for fusing.

        Raises
        ------
        PlateError
            There is no such well, folder, or image; the positions are those of another plate or well, or of fewer
            sites.
        ReadError
            An image cannot be read.
        RunError
            The folder lies in the plate, or a parameter is wrong.
        StorageError
            A file cannot be written.
        UnknownNameError
            No writer for TIFF files is installed.
        """
        ...
