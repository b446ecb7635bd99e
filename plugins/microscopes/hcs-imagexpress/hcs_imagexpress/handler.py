"""The handler of ImageXpress plates as MetaXpress exports them (with an HTD file)."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path

import attrs

from hcs_core import Channel, PlaneFacts, Plate, PlateError, parse_well, plate_format
from hcs_imagexpress import differences
from hcs_imagexpress.htd import HtdPlan, read_htd
from hcs_imagexpress.metaseries import parse_metaseries
from hcs_imagexpress.names import IMAGE_NAME, TIMEPOINT_FOLDER, MetaXpressParser
from hcs_imagexpress.planes import Files, plane_table
from hcs_imagexpress.scan import Folder, Listing, list_folders

NAME = "imagexpress"


@attrs.define
class _Images:
    """The images of a listing by the plate that their names begin with, and how many names have a GUID."""

    by_plate: dict[str, Files] = attrs.field(factory=dict)
    with_guid: int = 0


class ImageXpressHandler:
    """Reads plates that MetaXpress exported: `TimePoint_1/[ZStep_2/]PLATE_B02[_s1][_w1].TIF` beside `PLATE.HTD`.

    The files are the truth and the HTD is a claim: where they differ, the inventory says so.
    """

    parser = MetaXpressParser()

    def recognise(self, root: Path) -> str | None:
        """Return which HTD file and folders make the folder a plate, or `None` where it has no HTD file."""
        if not root.is_dir():
            return None
        # Most plates are known by one look; the timepoints may hold copies of an HTD that has been lost.
        return _reason(list_folders(root, lambda _: False)) or _reason(list_folders(root, _is_timepoint))

    def build_inventory(self, root: Path) -> Plate:
        """Return the inventory: one walk over the folders, no image is opened.

        Images lie in `TimePoint_<t>`, in `ZStep_<z>` below it, or flat beside the HTD; no timepoint is 1, no
        `_s` is site 1, no `_w` is channel 1, no `ZStep_` folder is z_index 1 and `ZStep_0` is the projections.

        Raises
        ------
        PlateError
            There is no HTD, no image, or there are several plates in the folder.
        """
        listing = list_folders(root)
        reason = _reason(listing)
        if reason is None:
            raise PlateError(f"{root} is no plate that MetaXpress exported: it holds no HTD file.")
        images = _images(listing)
        htd, plate = _choose(root, listing, images)
        plan = read_htd(root / htd)
        files = images.by_plate[plate]
        planes, repeated = plane_table(files)
        wells = {*files.wells, *plan.wells}
        return Plate(
            name=Path(os.path.abspath(root)).name,  # noqa: PTH100 - Path.absolute keeps a ..
            root=root,
            microscope=NAME,
            detected_by=reason,
            plate_format=_format(plan, wells),
            channels=_channels(sorted(files.found("channel")), plan),
            planes=planes,
            site_grid=plan.site_grid,
            differences=(
                *differences.of_plan(plan, files),
                *differences.of_repeated(repeated),
                *differences.of_others({name: len(other.uri) for name, other in images.by_plate.items()}, plate),
                *differences.of_links(listing.repeated_links),
            ),
        )

    def parse_header(self, text: str) -> PlaneFacts:
        """Return what the MetaSeries text of a plane (tag 270) says."""
        return parse_metaseries(text)


def _is_timepoint(name: str) -> bool:
    return bool(TIMEPOINT_FOLDER.fullmatch(name))


def _reason(listing: Listing) -> str | None:
    """Say which HTD file there is, and which folders of timepoints beside it."""
    htd = _htd_files(listing)
    if not htd:
        return None
    found = (TIMEPOINT_FOLDER.fullmatch(name) for name in listing.folders[0].folders)
    timepoints = sorted((int(match[1]), match[0]) for match in found if match)
    if not timepoints:
        return f"it holds {htd[0]}"
    first, last = timepoints[0][1], timepoints[-1][1]
    return f"it holds {htd[0]} and {first}" + (f" to {last}" if last != first else "")


def _htd_files(listing: Listing) -> tuple[str, ...]:
    """Return the paths of the HTD files of the first folder that has any: the plate's own, before any copy."""
    having = sorted((f.path.count("/"), f.path, f.htd_files) for f in listing.folders if f.htd_files)
    return tuple(f"{having[0][1]}{name}" for name in having[0][2]) if having else ()


def _images(listing: Listing) -> _Images:
    """Take the images out of a listing, into columns."""
    images = _Images()
    parser = MetaXpressParser()
    for folder in listing.folders:
        # What a folder says is asked once, of the grammar itself, with any image's name.
        place = parser.parse_filename(f"{folder.path}x_A01.TIF")
        if place is not None:
            z_index = 1 if place.z_index is None else place.z_index
            _take(folder, z_index, place.timepoint or 1, images)
    return images


def _take(folder: Folder, z_index: int, timepoint: int, images: _Images) -> None:
    """Add the images of one folder: this runs once for each of a million names."""
    for name in folder.names:
        match = IMAGE_NAME.fullmatch(name)
        if match is None:
            continue
        plate, well, site, channel, thumb, guid, bracketed = match.groups()
        if thumb:
            continue
        if guid or bracketed:
            images.with_guid += 1
            continue
        files = images.by_plate.get(plate)
        if files is None:
            files = images.by_plate[plate] = Files()
        files.well.append(files.index_of_well(well))
        files.site.append(int(site) if site else 1)
        files.channel.append(int(channel) if channel else 1)
        files.z_index.append(z_index)
        files.timepoint.append(timepoint)
        files.uri.append(folder.path + name)
        if name in folder.dangling:
            files.gone.add(folder.path + name)


def _choose(root: Path, listing: Listing, images: _Images) -> tuple[str, str]:
    """Return the path of the HTD file that counts, and the plate's name as its images have it."""
    htd_files = _htd_files(listing)
    if not images.by_plate:
        copies = f"; its {images.with_guid} images have names of the MetaXpress database" if images.with_guid else ""
        raise PlateError(
            f"{root} holds {htd_files[0]} and no image such as TimePoint_1/{Path(htd_files[0]).stem}_A01_s1_w1.TIF"
            f"{copies}: export the plate again, or copy what is missing."
        )
    same = {_folded(plate): plate for plate in images.by_plate}
    pairs = [(htd, same[_folded(Path(htd).stem)]) for htd in htd_files if _folded(Path(htd).stem) in same]
    if len({plate for _, plate in pairs}) > 1:
        names = ", ".join(htd for htd, _ in pairs)
        raise PlateError(f"{root} holds several plates ({names}): put each into a folder of its own.")
    if pairs:
        return pairs[0]
    # The HTD, or the images, have been renamed: the plate is what most images say.
    counts = Counter({plate: len(files.uri) for plate, files in images.by_plate.items()})
    return htd_files[0], min(counts, key=lambda plate: (-counts[plate], plate))


def _folded(name: str) -> str:
    """Return a name as file systems that ignore case, or decompose letters, compare it."""
    return unicodedata.normalize("NFC", name).casefold()


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
