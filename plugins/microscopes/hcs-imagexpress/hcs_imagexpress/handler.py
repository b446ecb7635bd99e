"""The handler of ImageXpress plates: MetaXpress' exports (with an HTD file), and copies of its database."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hcs_core import Channel, PlaneFacts, Plate, parse_well, plate_format
from hcs_imagexpress import differences, recognition
from hcs_imagexpress.choice import choose, plate_folder_name
from hcs_imagexpress.htd import NO_PLAN, HtdPlan, read_htd
from hcs_imagexpress.images import images_of
from hcs_imagexpress.metaseries import parse_metaseries
from hcs_imagexpress.names import MetaXpressParser
from hcs_imagexpress.planes import plane_table
from hcs_imagexpress.scan import list_folders, plane_folders

NAME = "imagexpress"


class ImageXpressHandler:
    """Reads plates of two families, whose names show which it is.

    What MetaXpress exported is `TimePoint_1/[ZStep_2/]PLATE_B02[_s1][_w1].TIF` beside `PLATE.HTD`; a copy of its
    database is `2023-02-21/1334/[TimePoint_1/][ZStep_2/]PLATE_B02[_s1][_w1]GUID.tif`, mostly without an HTD. The
    files are the truth and the HTD is a claim: where they differ, the inventory says so.
    """

    parser = MetaXpressParser()

    def recognise(self, root: Path) -> str | None:
        """Return which HTD file and folders, or which names, make the folder a plate, or `None` if it is none."""
        return recognition.recognise(root) if root.is_dir() else None

    def build_inventory(self, root: Path) -> Plate:
        """Return the inventory: one walk over the folders, no image is opened.

        `root` is the plate's folder; of a copy of the database, the folder of a day or of an acquisition too. What
        names and folders leave out is 1. Projections (z_index 0) lie in `ZStep_0` of an export, and beside the
        `ZStep_` folders of a database's acquisition.

        Raises
        ------
        PlateError
            There is neither an HTD nor a name of the database, no image, or several plates in the folder.
        """
        listing = list_folders(root, plane_folders(root))
        choice = choose(root, images_of(listing), recognition.htd_files(listing))
        files = choice.files
        plan = NO_PLAN if choice.htd is None else read_htd(root / choice.htd)
        planes, repeated = plane_table(files)
        return Plate(
            name=plate_folder_name(root),
            root=root,
            microscope=NAME,
            detected_by=recognition.DATABASE if choice.of_database else recognition.reason_of_export(listing) or "",
            plate_format=_format(plan, {*files.wells, *plan.wells}),
            channels=_channels(sorted(files.channels), plan),
            planes=planes,
            site_grid=plan.site_grid,
            differences=(
                *differences.of_plan(plan, files),
                *differences.of_acquisitions(files.acquisitions),
                *differences.of_repeated(repeated),
                *choice.differences,
                *differences.of_links(listing.repeated_links),
            ),
        )

    def parse_header(self, text: str) -> PlaneFacts:
        """Return what the MetaSeries text of a plane (tag 270) says."""
        return parse_metaseries(text)


def _format(plan: HtdPlan, wells: set[str]) -> tuple[int, int]:
    if plan.plate_format is not None:
        rows, columns = plan.plate_format
        if all(row < rows and column < columns for row, column in map(parse_well, wells)):
            return plan.plate_format
    return plate_format(wells)


def _channels(numbers: list[int], plan: HtdPlan) -> tuple[Channel, ...]:
    """Name the channels as the HTD does; names that are not unique get the wavelength's number before them."""
    names = {number: plan.wave_names.get(number, "") for number in numbers}
    while True:
        counts = Counter(name for name in names.values() if name)
        repeated = [number for number, name in names.items() if counts[name] > 1]
        if not repeated:
            return tuple(Channel(number=number, name=name) for number, name in names.items())
        names |= {number: f"w{number}_{names[number]}" for number in repeated}
