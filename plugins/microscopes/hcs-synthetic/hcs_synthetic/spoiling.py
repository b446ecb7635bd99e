"""Putting faults into the files of a plate, through the names that its own layout gives them.

What a file of the layout looks like is nobody's business here: the microscope's handler tells which file holds a
plane, and its layout writer makes those of another shape or dtype.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core import (
    FilenameParser,
    LayoutWriter,
    MicroscopeHandler,
    PlaneSource,
    PlaneState,
    PlateDescription,
    PlateError,
)
from hcs_synthetic.damage import PlaneKey
from hcs_synthetic.faults import FaultKind
from hcs_synthetic.plate import SyntheticPlate

_TEXT = b"The disk was full when this image should have been written.\n"
_OTHER_DTYPE = {"uint8": "uint16", "uint16": "uint8"}


def spoil(root: Path, plate: SyntheticPlate, handler: MicroscopeHandler, writer: LayoutWriter) -> None:
    """Put a plate's faults into its files, which are all there and whole.

    Raises
    ------
    hcs_core.PlateError
        The layout keeps several planes in a file that has a fault, or has no second name for one to be doubled; the
        handler does not find what the writer wrote.
    """
    damage = plate.damage
    uris = _uris(handler, root, [plane.key for plane in damage])
    for kind in (FaultKind.WRONG_DTYPE, FaultKind.WRONG_SHAPE):
        keys = [plane.key for plane in damage if plane.kind == kind]
        if keys:
            _replace(root, uris, keys, _retake(plate, kind, frozenset(keys)), handler, writer)
    for plane in damage:
        path = root / uris[plane.key]
        if plane.kind == FaultKind.DUPLICATE:
            shutil.copyfile(path, root / _second_name(handler.parser, root, uris[plane.key]))
        elif plane.kind == FaultKind.MISSING:
            path.unlink()
        elif plane.kind == FaultKind.TRUNCATED:
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
        elif plane.kind == FaultKind.EMPTY:
            path.write_bytes(b"")
        elif plane.kind == FaultKind.TEXT:
            path.write_bytes(_TEXT)


def _uris(handler: MicroscopeHandler, root: Path, keys: list[PlaneKey]) -> dict[PlaneKey, str]:
    """Return the file of each of these planes, relative to the plate's folder; none holds another plane too."""
    planes = [plane for plane in handler.build_inventory(root).planes if plane.state == PlaneState.PRESENT]
    shared = Counter(plane.uri for plane in planes)
    uris = {(at.well, at.site, at.channel, at.z_index, at.timepoint): at.uri for at in planes}
    for key in keys:
        well, site, channel, z_index, timepoint = key
        place = (
            f"well {well}, site {site}, channel {channel}, z_index {z_index}, timepoint {timepoint} of {root.name}"
        )
        if key not in uris:
            raise PlateError(f"the microscope does not find {place}, which its own layout writer wrote: report it.")
        if shared[uris[key]] > 1:
            raise PlateError(
                f"{place} shares the file {uris[key]} with {shared[uris[key]] - 1} other planes: faults need a "
                "layout that has a file for each plane."
            )
    return uris


def _second_name(parser: FilenameParser, root: Path, uri: str) -> str:
    """Return another name of a plane's file: `.tif` beside `.TIF`, or `.TIFF` where case makes no other name."""
    stem, dot, suffix = uri.rpartition(".")
    for other in (suffix.swapcase(), suffix + suffix[-1:]):
        name = f"{stem}{dot}{other}"
        if not (root / name).exists() and parser.parse_filename(name) == parser.parse_filename(uri):
            return name
    raise PlateError(f"the layout of {root.name} has no second name for {uri}: it cannot have duplicates.")


def _replace(
    root: Path,
    uris: Mapping[PlaneKey, str],
    keys: list[PlaneKey],
    retake: tuple[PlateDescription, PlaneSource],
    handler: MicroscopeHandler,
    writer: LayoutWriter,
) -> None:
    """Replace the files of some planes by those of another plate, which is written for that and removed."""
    with tempfile.TemporaryDirectory(dir=root.parent) as bench:
        other = writer.write(Path(bench), *retake)
        other_uris = _uris(handler, other, keys)
        for key in keys:
            (other / other_uris[key]).replace(root / uris[key])


def _retake(
    plate: SyntheticPlate, kind: FaultKind, keys: frozenset[PlaneKey]
) -> tuple[PlateDescription, PlaneSource]:
    """Return the description of a plate that is all of another dtype or shape, and the pixels of these planes.

    Of that plate only the wells of these planes are described. Its clock starts at its own first plane; all else in
    its headers is as in the plate's own.
    """
    taken = {well for well, *_ in keys}
    described = attrs.evolve(plate.description(), wells=tuple(well for well in plate.wells if well in taken))
    if kind == FaultKind.WRONG_DTYPE:
        described = attrs.evolve(described, dtype=_OTHER_DTYPE[described.dtype])
    else:
        rows, columns = described.image_shape
        described = attrs.evolve(described, image_shape=(rows + 1, columns + 1))
    grown = tuple((0, now - before) for now, before in zip(described.image_shape, plate.image_shape, strict=True))
    brightest = np.iinfo(described.dtype).max

    def image(well: str, site: int, channel: int, z_index: int, timepoint: int) -> npt.NDArray[Any]:
        if (well, site, channel, z_index, timepoint) not in keys:
            return np.zeros(described.image_shape, described.dtype)
        pixels = np.pad(plate.image(well, site, channel, z_index, timepoint), grown, mode="edge")
        # Widened first: the brightest value of uint16 is none of uint8.
        changed: npt.NDArray[Any] = np.minimum(pixels.astype(np.uint32), brightest).astype(described.dtype)
        return changed

    return described, image
