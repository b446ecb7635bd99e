"""A plate's microscope as steps and users see it: its handler, and what it says of a folder's images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs

from hcs_core.plate.found_images import images_below
from hcs_core.plate.inventory import Plate
from hcs_core.plate.microscope import FilenameParser, MicroscopeHandler, PlaneFacts
from hcs_core.plate.site_patterns import Patterns, site_patterns


@attrs.frozen(kw_only=True, eq=False)
class PlateMicroscope:
    """The handler of a plate's microscope, with what needs the plate beside it.

    Attributes
    ----------
    name
        The microscope's name, such as `imagexpress`.
    handler
        The handler.
    plate, workspace
        Give the plate's inventory, and where its workspace lies.
    """

    name: str
    handler: MicroscopeHandler
    plate: Callable[[], Plate]
    workspace: Callable[[], Path]

    @property
    def parser(self) -> FilenameParser:
        """The plate's own grammar of file names: `parse_filename` and `construct_filename`."""
        return self.handler.parser

    def recognise(self, root: Path) -> str | None:
        """Return why a folder is a plate of this microscope, or `None` if it is not."""
        return self.handler.recognise(root)

    def build_inventory(self, root: Path) -> Plate:
        """Return the inventory of a folder."""
        return self.handler.build_inventory(root)

    def parse_header(self, text: str) -> PlaneFacts:
        """Return what the text of a plane's header says."""
        return self.handler.parse_header(text)

    def auto_detect_patterns(self, input_dir: str | Path) -> Patterns:
        """Return the patterns of the images below a folder: `{well: {channel: (pattern, ...)}}`.

        A pattern is a path below the folder in which `{iii}` stands for the site's number: one for each z_index and
        timepoint. Wells are in their order on the plate; channels go by name, in the order of their numbers;
        patterns are in that of timepoint and z_index.

        Parameters
        ----------
        input_dir
            The plate, its workspace, a folder in them, or one of images that are named as the plate's are.

        Raises
        ------
        PlateError
            There is no such folder, or no such image in it.
        """
        plate = self.plate()
        images = images_below(Path(input_dir), plate, self.parser, self.workspace())
        return site_patterns(images, plate, self.parser)
