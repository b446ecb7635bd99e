"""A microscope whose plates are folders of tiny files: `fake_plate.txt` beside `A01_s1_c1_z1_t1.fake`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from hcs_core.errors import PlateError
from hcs_core.plate.inventory import Channel, Plate
from hcs_core.plate.microscope import ParsedName, PlaneFacts
from hcs_core.plate.plane_table import PlaneKind, PlaneTable
from hcs_core.plate.wells import canonical_well, plate_format
from hcs_core.testing.fakes.planes import write_fake_plane

INDEX = "fake_plate.txt"
"""The file that marks a plate: the name of a channel on each line."""

_NAME = re.compile(r"([A-Z]{1,2}[0-9]{2})_s([1-9][0-9]*)_c([1-9][0-9]*)_z(0|[1-9][0-9]*)_t([1-9][0-9]*)\.fake")


class FakeParser:
    """The grammar of a fake plate's files."""

    def parse_filename(self, path: str) -> ParsedName | None:
        """Return what a name says; `None` if it is no image's."""
        match = _NAME.fullmatch(path)
        if match is None:
            return None
        try:
            well = canonical_well(match[1])
        except PlateError:
            return None
        site, channel, z_index, timepoint = map(int, match.groups()[1:])
        kind = PlaneKind.ACQUIRED if z_index else PlaneKind.PROJECTION
        return ParsedName(well=well, site=site, channel=channel, z_index=z_index, timepoint=timepoint, kind=kind)

    def construct_filename(self, name: ParsedName) -> str:
        """Return the name of a plane's file.

        Raises
        ------
        PlateError
            A component is missing, or is none that a name can hold.
        """
        made = f"{canonical_well(name.well)}_s{name.site}_c{name.channel}_z{name.z_index}_t{name.timepoint}.fake"
        if self.parse_filename(made) != name:
            raise PlateError(f"{name} cannot be the name of a fake plane: give every component, counted from 1.")
        return made


class FakeMicroscope:
    """The microscope `fake`; its planes are read by `FakeReader`."""

    parser = FakeParser()

    def recognise(self, root: Path) -> str | None:
        """Return that the folder holds the index, or `None`."""
        return f"it holds {INDEX}" if (root / INDEX).is_file() else None

    def build_inventory(self, root: Path) -> Plate:
        """Return the inventory of a folder's names.

        Raises
        ------
        PlateError
            There is no index, or no image.
        """
        if self.recognise(root) is None:
            raise PlateError(f"{root} holds no {INDEX}: write the plate with write_fake_plate.")
        names = sorted(path.name for path in root.iterdir())
        found = {name: parsed for name in names if (parsed := self.parser.parse_filename(name))}
        if not found:
            raise PlateError(f"{root} holds {INDEX} and no image: write the plate with write_fake_plate.")
        wells = sorted({parsed.well for parsed in found.values()})
        dyes = (root / INDEX).read_text(encoding="utf-8").splitlines()
        numbers = sorted({parsed.channel or 0 for parsed in found.values()})
        return Plate(
            name=root.name,
            root=root,
            microscope="fake",
            plate_format=plate_format(wells),
            channels=tuple(Channel(number=n, name=dyes[n - 1] if n <= len(dyes) else f"channel{n}") for n in numbers),
            planes=PlaneTable.build(
                wells=wells,
                well=[wells.index(parsed.well) for parsed in found.values()],
                site=[parsed.site or 0 for parsed in found.values()],
                channel=[parsed.channel or 0 for parsed in found.values()],
                z_index=[parsed.z_index or 0 for parsed in found.values()],
                timepoint=[parsed.timepoint or 0 for parsed in found.values()],
                kind=[parsed.kind for parsed in found.values()],
                uri=tuple(found),
                reader="fake",
            ),
        )

    def parse_header(self, text: str) -> PlaneFacts:
        """Return what the text of a header, the file's name, says; pixels are 0.5 um wide."""
        parsed = self.parser.parse_filename(text)
        if parsed is None:
            return PlaneFacts()
        return PlaneFacts(
            pixel_size_um=0.5,
            well=parsed.well,
            site=parsed.site,
            z_index=parsed.z_index or None,
            timepoint=parsed.timepoint,
        )


def write_fake_plate(
    folder: Path,
    *,
    name: str = "fake_plate",
    wells: Sequence[str] = ("A01", "B03"),
    sites: Sequence[int] = (1, 2),
    channels: Sequence[str] = ("DAPI", "GFP"),
    z_indexes: Sequence[int] = (1,),
    timepoints: Sequence[int] = (1,),
    shape: tuple[int, int] = (24, 32),
    dtype: str = "uint16",
) -> Path:
    """Write a plate of every combination of its components as the new folder `folder / name`, and return that.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from hcs_core.testing import write_fake_plate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plate = write_fake_plate(Path(folder), wells=("B02",), sites=(1,), channels=("DAPI",))
    ...     sorted(path.name for path in plate.iterdir())
    ['B02_s1_c1_z1_t1.fake', 'fake_plate.txt']
    """
    root = folder / name
    root.mkdir()
    (root / INDEX).write_text("".join(f"{dye}\n" for dye in channels), encoding="utf-8")
    numbers = range(1, len(channels) + 1)
    for well, site, channel, z_index, timepoint in itertools.product(wells, sites, numbers, z_indexes, timepoints):
        path = root / f"{well}_s{site}_c{channel}_z{z_index}_t{timepoint}.fake"
        write_fake_plane(path, shape=shape, dtype=dtype)
    return root
