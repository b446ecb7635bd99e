"""Rules for microscopes: what an inventory says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from hcs_core.errors import PlateError
from hcs_core.plate.inventory import Plate
from hcs_core.plate.plane_table import PlaneKind
from hcs_core.plate.wells import canonical_well, parse_well
from hcs_core.testing.contracts.microscope_rules import MicroscopeRules, present

_CODES = ("kind", "state", "reader")
_NUMBERS = ("well", "site", "channel", "z_index", "timepoint", "selector")


class InventoryRules(MicroscopeRules):
    """What an inventory says."""

    def test_it_says_whose_plate_it_is(self, plate_folder: Path, inventory: Plate) -> None:
        """The microscope's name, the folder and its name."""
        found = (inventory.microscope, inventory.name, inventory.root)
        expected = (self.microscope.name, plate_folder.name, plate_folder)
        assert found == expected, (
            f"an inventory says (microscope, name, root): {found}, not {expected}; take the spec's name, and the "
            "folder as it was given."
        )

    def test_the_plate_has_planes(self, inventory: Plate) -> None:
        """Some are there, or no other rule says anything."""
        assert present(inventory), (
            "the plate of `plate_folder` has images: the inventory has no plane that is present."
        )

    def test_columns_are_of_one_length(self, inventory: Plate) -> None:
        """Whole numbers, one for each plane."""
        planes = inventory.planes
        columns = {name: getattr(planes, name) for name in (*_NUMBERS, *_CODES)}
        odd = [
            name for name, column in columns.items() if len(column) != len(planes) or column.dtype.kind not in "iu"
        ]
        assert not odd, (
            f"the columns of an inventory are whole numbers, one for each of {len(planes)} uris: {', '.join(odd)} "
            "are not; make the table with PlaneTable.build."
        )

    def test_planes_are_in_the_one_order(self, inventory: Plate) -> None:
        """By well, site, timepoint, channel and z_index: equal plates are equal tables."""
        planes = inventory.planes
        keys = (planes.z_index, planes.channel, planes.timepoint, planes.site, planes.well)
        order = np.lexsort(keys)
        sorted_wells = sorted(planes.wells, key=parse_well) == list(planes.wells)
        assert sorted_wells and all(np.array_equal(key, key[order]) for key in keys), (  # noqa: PT018 - one rule
            "planes are sorted by well (as on the plate), site, timepoint, channel and z_index: these are not; make "
            "the table with PlaneTable.build."
        )

    def test_wells_are_names_that_lie_on_the_plate(self, inventory: Plate) -> None:
        """`A01`, within rows and columns of the plate's format."""
        rows, columns = inventory.plate_format
        for well in inventory.planes.wells:
            try:
                (row, column), name = parse_well(well), canonical_well(well)
            except PlateError:
                row, column, name = -1, -1, ""
            assert well == name and 0 <= row < rows and 0 <= column < columns, (  # noqa: PT018 - one rule
                f"a well has the name that hcs_core.well_name makes, and lies on the plate: {well!r} does not, on "
                f"{rows} x {columns} wells."
            )

    def test_channels_are_numbered_and_have_planes(self, inventory: Plate) -> None:
        """Each number once, sorted, for exactly the channels that planes have."""
        numbers = [channel.number for channel in inventory.channels]
        there = np.unique(inventory.planes.channel).tolist()
        assert numbers == there, (
            f"an inventory has a Channel for each number that its planes have, sorted, once: the channels are "
            f"{numbers}, those of the planes {there}."
        )

    def test_channel_names_are_unique(self, inventory: Plate) -> None:
        """A pipeline names them; an empty one is left to the headers."""
        counts = Counter(channel.name for channel in inventory.channels if channel.name)
        twice = [name for name, count in counts.items() if count > 1]
        assert not twice, (
            f"channel names are unique in a plate: {', '.join(twice)} is there more than once; put w<number>_ before "
            "those, or leave the names empty for the headers to say."
        )

    def test_numbers_count_from_1(self, inventory: Plate) -> None:
        """Sites, channels, timepoints and z_indexes; 0 along z is a projection's."""
        planes = inventory.planes
        acquired = planes.kind == PlaneKind.ACQUIRED
        wrong = [name for name in ("site", "channel", "timepoint") if (getattr(planes, name) < 1).any()]
        wrong += ["z_index"] * bool((planes.z_index[acquired] < 1).any())
        assert not wrong, (
            f"{', '.join(wrong)} count from 1 in an inventory, whatever the vendor does: add 1 to what counts from 0."
        )
        assert not (planes.z_index[~acquired] != 0).any(), "a projection has z_index 0: one of the inventory has not."

    def test_uris_are_relative_to_the_plate(self, inventory: Plate) -> None:
        """With `/`, and nothing that leads out of the folder: a plate can be moved."""
        for plane in inventory.planes:
            absolute = PurePosixPath(plane.uri).is_absolute() or PureWindowsPath(plane.uri).is_absolute()
            parts = plane.uri.split("/")
            assert not absolute and "\\" not in plane.uri and ".." not in parts, (  # noqa: PT018 - one rule
                f"a uri is relative to the plate's folder, with /: {plane.uri!r} is not; use "
                "path.relative_to(root).as_posix()."
            )

    def test_what_is_present_is_there(self, plate_folder: Path, inventory: Plate) -> None:
        """A plane whose file is gone is `MISSING`; one without a file has an empty uri."""
        gone = [plane.uri for plane in present(inventory) if not plane.uri or not (plate_folder / plane.uri).exists()]
        assert not gone, (
            f"a plane is PRESENT if its file is there: {gone[0]!r} is not; say MISSING for what the index lists and "
            "nobody has, NOT_RECORDED for what the layout expects."
        )

    def test_each_plane_is_present_once(self, inventory: Plate) -> None:
        """Of two files of one plane one counts; the other is a `DUPLICATE`, or a difference."""
        places = Counter((p.well, p.site, p.channel, p.z_index, p.timepoint) for p in present(inventory))
        twice = [place for place, count in places.items() if count > 1]
        assert not twice, (
            f"each plane is present once: {twice[0]} (well, site, channel, z_index, timepoint) is there more often; "
            "keep the first by name, and say DUPLICATE of the others or tell a difference."
        )

    def test_each_location_is_one_plane_s(self, inventory: Plate) -> None:
        """Two planes from one page of one file would be one picture shown twice."""
        places = Counter((plane.uri, plane.selector) for plane in present(inventory))
        twice = [place for place, count in places.items() if count > 1]
        assert not twice, f"each (uri, selector) is one plane's: {twice[0]} is that of several."

    def test_differences_are_sentences(self, inventory: Plate) -> None:
        """`hcs inspect` lists them, a line each."""
        odd = [item for item in map(str, inventory.differences) if "\n" in item or not item.strip()]
        assert not odd, f"a difference is a sentence on one line: {odd[0]!r} is none."
