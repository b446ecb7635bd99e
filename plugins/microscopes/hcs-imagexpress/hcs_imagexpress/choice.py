"""Which images of a folder are the plate: of which family, and of which plate's name."""

from __future__ import annotations

from pathlib import Path

import attrs

from hcs_core import PlateError
from hcs_imagexpress import differences
from hcs_imagexpress.images import Images, count, folded
from hcs_imagexpress.names import ACQUISITION_FOLDER, DATE_FOLDER
from hcs_imagexpress.planes import Files
from hcs_imagexpress.scan import absolute


@attrs.frozen(kw_only=True)
class Choice:
    """What of a folder makes its plate.

    Attributes
    ----------
    files
        The images.
    of_database
        Whether they are a copy of the database, and not an export.
    htd
        The path of the HTD file that says what was planned; `None` where none does.
    differences
        What is left out, and why.
    """

    files: Files
    of_database: bool
    htd: str | None
    differences: tuple[str, ...]


def choose(root: Path, images: Images, htd_files: tuple[str, ...]) -> Choice:
    """Choose the plate of a folder.

    Images without a GUID need an HTD file to be a plate's. Of the two families that of more images counts, the
    export where both have as many.

    Raises
    ------
    PlateError
        There is no plate, or there are several and nothing tells which is meant.
    """
    exported = images.exported if htd_files else {}
    if not exported and not images.database:
        raise _no_plate(root, htd_files)
    of_database = count(images.database) > count(exported)
    by_plate, left_out = (images.database, images.exported) if of_database else (exported, images.database)
    htd, plate = _plate(root, by_plate, htd_files)
    sentences = (
        *differences.of_others({name: len(files.uri) for name, files in by_plate.items()}, plate),
        *differences.of_other_family(count(left_out), of_database),
    )
    if of_database and htd_files:
        sentences = (*sentences, differences.of_htd_of_database(htd or htd_files[0], plate, used=htd is not None))
    if not of_database:
        # The HTD, or the images, may have been renamed: there is one plate all the same.
        htd = htd or htd_files[0]
    return Choice(files=by_plate[plate], of_database=of_database, htd=htd, differences=sentences)


def plate_folder_name(root: Path) -> str:
    """Return the name of the plate's folder, also where `root` is the folder of a day or an acquisition in it."""
    folder = absolute(root)
    if ACQUISITION_FOLDER.fullmatch(folder.name) and DATE_FOLDER.fullmatch(folder.parent.name):
        folder = folder.parent
    if DATE_FOLDER.fullmatch(folder.name):
        folder = folder.parent
    return folder.name or absolute(root).name


def _no_plate(root: Path, htd_files: tuple[str, ...]) -> PlateError:
    if not htd_files:
        return PlateError(
            f"{root} is no ImageXpress plate: it holds no HTD file, and no image with a GUID in its name as "
            "copies of the MetaXpress database have; give the folder of the plate, of a day or of an acquisition."
        )
    return PlateError(
        f"{root} holds {htd_files[0]} and no image such as TimePoint_1/{Path(htd_files[0]).stem}_A01_s1_w1.TIF: "
        "export the plate again, or copy what is missing."
    )


def _plate(root: Path, by_plate: dict[str, Files], htd_files: tuple[str, ...]) -> tuple[str | None, str]:
    """Return the path of the HTD file of a plate, if there is one, and the plate's name as its images have it."""
    same = {folded(plate): plate for plate in by_plate}
    pairs = [(htd, same[folded(Path(htd).stem)]) for htd in htd_files if folded(Path(htd).stem) in same]
    if len({plate for _, plate in pairs}) > 1:
        raise _several(root, [htd for htd, _ in pairs])
    if pairs:
        return pairs[0]
    own_name = folded(plate_folder_name(root))
    if own_name in same:
        return None, same[own_name]
    # Nothing is called as the images are: the plate is what most of them say.
    most = max(by_plate, key=lambda plate: len(by_plate[plate].uri))
    if 2 * len(by_plate[most].uri) <= count(by_plate) and len(by_plate) > 1:
        raise _several(root, sorted(by_plate))
    return None, most


def _several(root: Path, names: list[str]) -> PlateError:
    return PlateError(f"{root} holds several plates ({', '.join(names)}): put each into a folder of its own.")
