"""Which part of a plate a pipeline is for: what its selection means on this plate, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from hcs_core.compiler.problem import Problem
from hcs_core.errors import PlateError, did_you_mean
from hcs_core.pipeline.selection import Selection
from hcs_core.plate.inventory import Plate
from hcs_core.plate.wells import select_wells


@attrs.frozen(kw_only=True)
class Chosen:
    """The wells, and the numbers of channels, sites, z_indexes and timepoints; `z_indexes` is `None` if not said."""

    wells: tuple[str, ...]
    channels: tuple[int, ...]
    sites: tuple[int, ...]
    z_indexes: tuple[int, ...] | None
    timepoints: tuple[int, ...]


def chosen_part(plate: Plate, selection: Selection, problems: list[Problem]) -> Chosen:
    """Return what is selected; what the plate has not is added to the problems."""
    return Chosen(
        wells=_wells(plate, selection, problems),
        channels=_channels(plate, selection, problems),
        sites=_numbers("site", selection.sites, np.unique(plate.planes.one_of_each.site).tolist(), problems),
        z_indexes=_z_indexes(plate, selection, problems),
        timepoints=_numbers("timepoint", selection.timepoints, plate.timepoints, problems),
    )


def channel_index(asked: str | int, names: Sequence[str], numbers: Sequence[int]) -> int | None:
    """Return which channel a name or a number means: a name first, as a channel may be called `2`; 0 is none."""
    if asked in names:
        return names.index(str(asked))
    return next((index for index, number in enumerate(numbers) if number and str(number) == str(asked)), None)


def _wells(plate: Plate, selection: Selection, problems: list[Problem]) -> tuple[str, ...]:
    try:
        return select_wells(selection.wells, plate.wells)
    except PlateError as error:
        problems.append(Problem(message=str(error)))
        return ()


def _channels(plate: Plate, selection: Selection, problems: list[Problem]) -> tuple[int, ...]:
    """Return the numbers of the selected channels, in the plate's order."""
    if selection.channels is None:
        return tuple(channel.number for channel in plate.channels)
    chosen = set()
    for asked in selection.channels:
        names = [channel.name for channel in plate.channels]
        index = channel_index(asked, names, [channel.number for channel in plate.channels])
        if index is not None:
            chosen.add(plate.channels[index].number)
        else:
            problems.append(
                Problem(
                    message=f"the plate has no channel {asked!r}.{did_you_mean(str(asked), names)}",
                    hint=f"It has {', '.join(names)}.",
                    found=str(asked),
                    expected=", ".join(names),
                )
            )
    return tuple(sorted(chosen))


def _numbers(
    word: str, asked: tuple[int, ...] | None, there: Sequence[int], problems: list[Problem]
) -> tuple[int, ...]:
    if asked is None:
        return tuple(there)
    wrong = [number for number in asked if number not in there]
    if wrong:
        problems.append(
            Problem(
                message=f"the plate has no {word} {', '.join(map(str, wrong))}.",
                hint=f"It has {', '.join(map(str, there))}.",
                found=", ".join(map(str, wrong)),
                expected=", ".join(map(str, there)),
            )
        )
    return tuple(sorted(number for number in asked if number in there))


def _z_indexes(plate: Plate, selection: Selection, problems: list[Problem]) -> tuple[int, ...] | None:
    asked = selection.z
    if asked is None:
        return None
    if 0 in asked and len(asked) > 1:
        problems.append(
            Problem(
                message="projections (z 0) and slices cannot share an image.",
                hint="Run once with --z 0 and once with the slices, into two outputs.",
            )
        )
    return _numbers("z_index", asked, np.unique(plate.planes.one_of_each.z_index).tolist(), problems)
