"""Opening a plate: detection, inventory, and what the headers of a few planes say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np

from hcs_core.errors import PlateError, ReadError, one_line
from hcs_core.plate.detection import AUTO, Detected, detect
from hcs_core.plate.header_facts import Sample, contradictions, settle
from hcs_core.plate.inventory import Plate, SitePosition
from hcs_core.plate.microscope import PlaneFacts
from hcs_core.plate.plane_order import begins_site
from hcs_core.plate.plane_table import Plane, PlaneState
from hcs_core.plate.reader import Header, Readers
from hcs_core.plugins.manager import PluginManager


def open_plate(path: str | Path, *, plugins: PluginManager | None = None, microscope: str = AUTO) -> Plate:
    """Return the inventory of a plate's folder, with what the headers of one site say.

    Nothing is written, and no pixels are read: one plane's header of each (channel, z_index) and (channel,
    timepoint) is opened, at one site.

    Parameters
    ----------
    path
        The plate's folder.
    plugins
        The registered plugins; by default those that are installed.
    microscope
        A microscope's name; by default the folder is asked.

    Raises
    ------
    PlateError
        The folder is no plate; `DetectionError` where no microscope, or more than one, recognises it.
    """
    if plugins is None:
        plugins = PluginManager()
        plugins.discover()
    root = Path(path).absolute()
    return inventory(root, detect(root, plugins, str(microscope)), Readers(plugins.readers))


def inventory(root: Path, detected: Detected, readers: Readers) -> Plate:
    """Return the inventory of a folder whose microscope is known, with what the headers of one site say."""
    try:
        with detected.calling("build_inventory"):
            listed = detected.handler.build_inventory(root)
    except OSError as error:
        raise PlateError(f"{root} cannot be listed ({one_line(error)}): see to permissions there.") from error
    plate = attrs.evolve(listed, detected_by=detected.reason)
    samples, faults = _samples(plate, detected, readers)
    plate = settle(with_unreadable(plate, faults), samples)
    return attrs.evolve(plate, differences=(*plate.differences, *contradictions(plate, samples)))


def with_unreadable(plate: Plate, faults: Mapping[int, str]) -> Plate:
    """Return the plate with these planes, by their rows in the inventory, `UNREADABLE`, and why as differences."""
    state = plate.planes.state.copy()
    state[list(faults)] = PlaneState.UNREADABLE
    return attrs.evolve(
        plate,
        planes=attrs.evolve(plate.planes, state=state),
        differences=(*plate.differences, *faults.values()),
    )


def _samples(plate: Plate, detected: Detected, readers: Readers) -> tuple[list[Sample], dict[int, str]]:
    """Open one plane of each (channel, z_index) and (channel, timepoint), each channel's at one site.

    That is the first site; a channel that it has not, or of which nothing can be read there, is asked for at the
    next: one broken file must not change a channel's name.
    """
    faults: dict[int, str] = {}
    samples: list[Sample] = []
    wanted = set(np.unique(plate.planes.channel[plate.planes.state == PlaneState.PRESENT]).tolist())
    for indexes in _sites_to_try(plate):
        for index in indexes:
            plane = plate.planes.plane(index)
            if plane.channel not in wanted:
                continue
            try:
                header = readers[plane.reader].header(str(plate.root / plane.uri), plane.selector)
            except ReadError as error:
                faults[index] = str(error)
            else:
                samples.append(Sample(plane=plane, header=header, facts=_facts(detected, header)))
        wanted -= {sample.plane.channel for sample in samples}
        if not wanted:
            break
    return samples, faults


def _facts(detected: Detected, header: Header) -> PlaneFacts:
    with detected.calling("parse_header"):
        return detected.handler.parse_header(header.text)


def _sites_to_try(plate: Plate) -> Iterable[list[int]]:
    """Yield, site by site, the rows of the planes whose headers are to be opened; full sites first."""
    planes = plate.planes
    present = (planes.state == PlaneState.PRESENT).nonzero()[0]
    starts = np.flatnonzero(begins_site(planes.well[present], planes.site[present]))
    for indexes in sorted(np.split(present, starts[1:]), key=len, reverse=True):
        chosen: dict[tuple[str, int, int], int] = {}
        for index in indexes.tolist():
            channel = int(planes.channel[index])
            chosen.setdefault(("z", channel, int(planes.z_index[index])), index)
            chosen.setdefault(("t", channel, int(planes.timepoint[index])), index)
        yield sorted(set(chosen.values()))


def with_positions(plate: Plate, detected: Detected, readers: Readers, wells: Sequence[str]) -> Plate:
    """Return the plate with the positions of the fields of these wells, read from one header a site.

    Only sites whose position no index gave are opened; one of which no header can be read stays unknown. Where a
    header has the stage's absolute position only, the well's centre is taken to be the middle of its fields.
    """
    positions = dict(plate.positions)
    for well in wells:
        stage: dict[int, tuple[float, float]] = {}
        planes = plate.planes.of_well(well)
        for site in np.unique(planes.site).tolist():
            at_site = ((planes.site == site) & (planes.state == PlaneState.PRESENT)).nonzero()[0]
            if (well, site) in positions:
                continue
            header = _first_header(plate, readers, map(planes.plane, at_site.tolist()))
            facts = PlaneFacts() if header is None else _facts(detected, header)
            if facts.position is not None:
                positions[well, site] = facts.position
            elif facts.stage_yx_um is not None:
                stage[site] = facts.stage_yx_um
        if stage:
            ys, xs = zip(*stage.values(), strict=True)
            middle = ((min(ys) + max(ys)) / 2, (min(xs) + max(xs)) / 2)
            for site, (y, x) in stage.items():
                positions[well, site] = SitePosition(y_um=y - middle[0], x_um=x - middle[1])
    return attrs.evolve(plate, positions=positions)


def _first_header(plate: Plate, readers: Readers, planes: Iterable[Plane]) -> Header | None:
    """Return the first header that can be read: one broken file must not hide where its site lies."""
    for plane in planes:
        try:
            return readers[plane.reader].header(str(plate.root / plane.uri), plane.selector)
        except ReadError:
            continue  # The run names the file when it reads its pixels.
    return None
